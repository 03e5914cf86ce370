using System.Runtime.InteropServices;

namespace Ghpo.Rollout;

/// <summary>A request while its answers are being decoded.</summary>
/// <param name="order">Place in the order of submission.</param>
internal sealed class RunningGroup(GenerationRequest request, long order)
{
    private readonly Completion[] _completions = new Completion[request.Answers];
    private int _running = request.Answers;

    internal GenerationRequest Request { get; } = request;

    internal long Order { get; } = order;

    /// <summary>Stores a finished answer.</summary>
    /// <returns>True if it was the last one.</returns>
    internal bool Complete(RunningSequence sequence, FinishReason reason)
    {
        _completions[sequence.Answer] = sequence.Complete(reason);
        return --_running == 0;
    }

    /// <summary>The answers that are finished while others are not.</summary>
    internal IEnumerable<AnswerProgress> Finished => _completions
        .Select((completion, answer) => (completion, answer))
        .Where(one => one.completion is not null)
        .Select(one => new AnswerProgress(Request.Tag, one.answer, one.completion.Tokens, Finished: true));

    internal GenerationResult Result() => new(Request.Tag, ImmutableCollectionsMarshal.AsImmutableArray(_completions));
}
