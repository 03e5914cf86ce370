using System.Collections.Immutable;
using static Ghpo.Dispatch.VerificationProtocol;

namespace Ghpo.Dispatch;

/// <summary>
/// Which answer is with which verifier node: the truth about it, whatever the streams lose. Not thread-safe; time comes in as a value.
/// <code>
/// Offer ─▶ pending ─▶ Take ─▶ leased to a node ─▶ Deliver: accepted, forgotten
///             │                    │ deadline, or the node is lost
///             └──────▶ returned ◀──┘   the learner judges it
/// </code>
/// An answer goes to one node and then, if need be, to the learner: no node gets what another one failed at, so an answer that fells verifiers fells one.
/// The first judgement counts; a verdict is a function of the answer and its reference, so any of them is as good as another.
/// </summary>
/// <param name="deadline">How long a lease lasts.</param>
internal sealed class AnswerLedger(TimeSpan deadline)
{
    private readonly Queue<AnswerToJudge> _pending = [];
    private readonly Dictionary<AnswerKey, (AnswerToJudge Answer, string Node, TimeSpan Deadline)> _leased = [];
    private readonly HashSet<AnswerKey> _open = [];

    public int Pending => _pending.Count;

    /// <summary>Answers without a judgement.</summary>
    public int Open => _open.Count;

    /// <summary>One that is open already changes nothing.</summary>
    public void Offer(AnswerToJudge answer)
    {
        if (_open.Add(answer.Key))
        {
            _pending.Enqueue(answer);
        }
    }

    /// <returns>Null: nothing is pending.</returns>
    public AnswerToJudge? Take(string node, TimeSpan now)
    {
        if (!_pending.TryDequeue(out AnswerToJudge? answer))
        {
            return null;
        }

        _leased.Add(answer.Key, (answer, node, now + deadline));
        return answer;
    }

    /// <returns>False: it has a judgement already, or was never asked for.</returns>
    public bool Deliver(AnswerKey key)
    {
        _leased.Remove(key);
        return _open.Remove(key);
    }

    /// <summary>How many answers a node has in hand, and when it got the oldest of them; null: none.</summary>
    public (int Answers, TimeSpan? Oldest) Held(string node)
    {
        TimeSpan[] granted = [.. _leased.Values.Where(lease => lease.Node == node).Select(lease => lease.Deadline - deadline)];
        return (granted.Length, granted.Length > 0 ? granted.Min() : null);
    }

    /// <summary>What a node that is lost had in hand.</summary>
    public ImmutableArray<AnswerToJudge> Return(string node) => Return([.. _leased.Values.Where(lease => lease.Node == node).Select(lease => lease.Answer)]);

    /// <summary>All that is pending, where no node is left to take it.</summary>
    public ImmutableArray<AnswerToJudge> ReturnPending()
    {
        ImmutableArray<AnswerToJudge> pending = [.. _pending];
        _pending.Clear();
        return pending;
    }

    /// <summary>Nodes that have had an answer for too long.</summary>
    public ImmutableArray<string> Overdue(TimeSpan now) => [.. _leased.Values.Where(lease => lease.Deadline <= now).Select(lease => lease.Node).Distinct()];

    private ImmutableArray<AnswerToJudge> Return(ImmutableArray<AnswerToJudge> answers)
    {
        foreach (AnswerToJudge answer in answers)
        {
            _leased.Remove(answer.Key);
        }

        return answers;
    }
}
