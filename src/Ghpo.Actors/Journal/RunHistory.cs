using Ghpo.Configuration;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Journal;

/// <summary>A run as of a committed step, or as of the journal's end.</summary>
/// <param name="Last">The newest committed step; null before the first.</param>
public sealed record RunMoment(RunState State, StepCommitted? Last, DateTimeOffset Written);

/// <summary>Looking back: the state that a run was in.</summary>
public static class RunHistory
{
    /// <param name="staleness">η of the run.</param>
    /// <param name="step">As of the commit of this step; null: as of now.</param>
    /// <exception cref="UserErrorException">The step is not committed; says which are.</exception>
    public static RunMoment At(JournalReader journal, int staleness, int? step)
    {
        RunState state = RunState.Empty(staleness);
        StepCommitted? last = null;
        DateTimeOffset written = default;
        foreach (JournalEntry entry in journal.AllEntries())
        {
            state = state.Apply(entry.Event);
            written = entry.Written;
            if (entry.Event is StepCommitted committed)
            {
                last = committed;
                if (committed.Step == step)
                {
                    break;
                }
            }
        }

        return step is null || last?.Step == step ? new RunMoment(state, last, written) : throw NotCommitted(journal, step.Value, last?.Step);
    }

    /// <param name="newest">The newest committed step; null: none.</param>
    internal static UserErrorException NotCommitted(JournalReader journal, int step, int? newest) => new(
        $"{journal.Place}: step {step} is not committed; "
        + (newest is null ? "no step is, so far." : $"committed are steps 0 to {newest}."));
}
