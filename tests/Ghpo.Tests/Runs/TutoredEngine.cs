using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Ghpo.Curriculum;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using Xunit;

namespace Ghpo.Tests.Runs;

/// <summary>A group as an engine was asked for it, with what it answered.</summary>
internal sealed record TutoredGroup(
    GroupId Group, int Attempt, PolicyVersion Version, ImmutableArray<int> Prompt, ImmutableArray<Completion> Completions);

/// <summary>
/// Knows the answer to every problem of <see cref="TinyRun"/> and whispers it to some of a group's answers once the prompt shows enough of
/// the solution. Which ones, hangs on the tokens that the model drew, so a group's rewards depend on weights and seed as a real model's do.
/// One for all engines of a run; thread-safe.
/// </summary>
internal sealed partial class Tutor(ITokenizer tokenizer, long runSeed, int steps = 20)
{
    private readonly Dictionary<ulong, (GroupId Group, int Attempt)> _attempts = (
        from step in Enumerable.Range(0, steps)
        from index in Enumerable.Range(0, 20)
        from attempt in Enumerable.Range(0, 5)
        select (Group: new GroupId(step, index), Attempt: attempt))
        .ToDictionary(key => SampleSeed.Of(runSeed, key.Group, key.Attempt));

    /// <summary>What the engines were asked for, in the order of asking.</summary>
    public ConcurrentQueue<(GroupId Group, int Attempt)> Submitted { get; } = [];

    public ConcurrentQueue<TutoredGroup> Answered { get; } = [];

    /// <summary>Policies that engines went on under with groups in hand.</summary>
    public ConcurrentQueue<PolicyVersion> Switched { get; } = [];

    /// <summary>Called on the engine's thread before a group is admitted. May throw, or take its time.</summary>
    public Action<GroupId, int> BeforeSubmit { get; set; } = static (_, _) => { };

    /// <summary>Called on the engine's thread before each token.</summary>
    public Action BeforeStep { get; set; } = static () => { };

    /// <summary>Called on the engine's thread before weights are copied in.</summary>
    public Action<PolicyVersion> BeforeLoad { get; set; } = static _ => { };

    public (GroupId Group, int Attempt) AttemptOf(GenerationRequest request) => _attempts[request.Seed];

    public ImmutableArray<Completion> Teach(ImmutableArray<int> prompt, ImmutableArray<Completion> completions)
    {
        string text = tokenizer.Decode(prompt, keepSpecial: true);
        Match match = Problem().Match(text);
        Assert.True(match.Success, text);
        int shown = 100 * match.Groups["hint"].Length / TinyRun.SolutionLength;
        bool helped = shown >= int.Parse(match.Groups["from"].ValueSpan, CultureInfo.InvariantCulture);
        return helped ? [.. completions.Select((completion, i) => Right(completion, i) ? Answer(completion, match.Groups["index"].Value) : completion)] : completions;
    }

    /// <summary>The first answer always, the last never, one between if its first token is odd.</summary>
    private static bool Right(Completion completion, int answer) => answer == 0 || (answer < 3 && completion.Tokens[0] % 2 == 1);

    private Completion Answer(Completion completion, string answer)
    {
        int[] said = [.. tokenizer.EncodeText($" \\boxed{{{answer}}}"), tokenizer.SpecialToken(CompactTokens.End)!.Value];
        return new Completion([completion.Tokens[0], .. said], [completion.LogProbs[0], .. said.Select(_ => -2f)], FinishReason.Stopped);
    }

    [GeneratedRegex(@"^<\|problem\|>Problem (?<index>\d+), helped from (?<from>\d+) on(<\|hint\|>(?<hint>.*))?<\|solution\|>$")]
    private static partial Regex Problem();
}

/// <summary>A real engine with a <see cref="Tutor"/> at its side.</summary>
internal sealed class TutoredEngine(IGenerationEngine inner, Tutor tutor) : IGenerationEngine
{
    private readonly Dictionary<object, GenerationRequest> _requests = [];
    private PolicyVersion _version;

    public int FreeSlots => inner.FreeSlots;

    public int RunningSequences => inner.RunningSequences;

    public long TokensSampled => inner.TokensSampled;

    public void LoadPolicy(PolicySnapshot policy)
    {
        tutor.BeforeLoad(policy.Version);
        inner.LoadPolicy(policy);
        _version = policy.Version;
    }

    public void SwitchPolicy(PolicySnapshot policy)
    {
        tutor.BeforeLoad(policy.Version);
        inner.SwitchPolicy(policy);
        tutor.Switched.Enqueue(policy.Version);
    }

    public void Submit(GenerationRequest request)
    {
        (GroupId group, int attempt) = tutor.AttemptOf(request);
        tutor.Submitted.Enqueue((group, attempt));
        tutor.BeforeSubmit(group, attempt);
        inner.Submit(request);
        _requests.Add(request.Tag, request);
    }

    public void Withdraw(object tag)
    {
        _requests.Remove(tag);
        inner.Withdraw(tag);
    }

    public IReadOnlyList<GenerationResult> Step()
    {
        tutor.BeforeStep();
        return [.. inner.Step().Select(Teach)];
    }

    public void Dispose() => inner.Dispose();

    private GenerationResult Teach(GenerationResult result)
    {
        _requests.Remove(result.Tag, out GenerationRequest? request);
        ImmutableArray<Completion> completions = tutor.Teach(request!.Prompt, result.Completions);
        (GroupId group, int attempt) = tutor.AttemptOf(request);
        tutor.Answered.Enqueue(new TutoredGroup(group, attempt, _version, request.Prompt, completions));
        return result with { Completions = completions };
    }
}
