namespace Ghpo.Rollout;

/// <summary>An answer while it is being decoded.</summary>
internal sealed class RunningSequence(RunningGroup group, int answer)
{
    private readonly List<int> _tokens = [];
    private readonly List<float> _logProbs = [];
    private readonly List<PolicySwitch> _switches = [];

    internal RunningGroup Group { get; } = group;

    internal int Answer { get; } = answer;

    /// <summary>Tokens sampled so far.</summary>
    internal int Length => _tokens.Count;

    internal bool IsFull => _tokens.Count == Group.Request.Sampling.MaxNewTokens;

    /// <summary>The token to feed next: the prompt's last, then each sampled one.</summary>
    internal int NextInput => _tokens.Count == 0 ? Group.Request.Prompt[^1] : _tokens[^1];

    /// <summary>Where that token stands, which is also how many positions are cached.</summary>
    internal int NextPosition => Group.Request.Prompt.Length - 1 + _tokens.Count;

    internal double NextUniform => CounterRandom.Uniform(Group.Request.Seed, Answer, _tokens.Count);

    /// <summary>What has to be cached before it can go on: its prompt and its tokens, without the one to feed next.</summary>
    internal int[] Cached() => [.. Group.Request.Prompt.Concat(_tokens).SkipLast(1)];

    internal void Append(int token, float logProb)
    {
        _tokens.Add(token);
        _logProbs.Add(logProb);
        Group.Request.OnToken?.Invoke(Answer, token);
    }

    /// <summary>What follows is sampled under another policy.</summary>
    internal void Switch(PolicyVersion version)
    {
        _switches.RemoveAll(before => before.Token == _tokens.Count);
        _switches.Add(new PolicySwitch(_tokens.Count, version));
    }

    internal AnswerProgress Progress => new(Group.Request.Tag, Answer, [.. _tokens], Finished: false);

    internal Completion Complete(FinishReason reason) => new([.. _tokens], [.. _logProbs], reason) { Switches = [.. _switches] };
}
