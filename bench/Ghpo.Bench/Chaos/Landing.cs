using Ghpo.Journal;
using Ghpo.Learning;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Bench.Chaos;

/// <summary>What a kill interrupted, as journal and checkpoint folder tell afterwards.</summary>
internal enum Landing
{
    /// <summary>Before the session's epoch was journalled: starting up, recovering, folding steps again.</summary>
    BeforeTheEpoch,

    /// <summary>Some groups of the next step had not settled.</summary>
    WithinSampling,

    /// <summary>All groups of the next step had settled, and it was not committed: training, or noting what settled.</summary>
    WithinLearning,

    /// <summary>A checkpoint's files were being written.</summary>
    WithinCheckpoint,

    /// <summary>A checkpoint had its name, and the journal did not know of it.</summary>
    BetweenRenameAndJournal,

    /// <summary>The last step was committed: reports, shutting down.</summary>
    AfterTheLastStep,
}

/// <summary>Finds out where a kill landed.</summary>
internal static class Landings
{
    /// <param name="epochs">Epochs that the journal held when the session began.</param>
    public static Landing Of(string folder, long epochs, int groups, int steps)
    {
        string journal = Path.Combine(folder, "journal.db");
        LearnerState state = LearnerState.Empty;
        if (new JournalTables(journal).Rows("es-v1") == 0)
        {
            return Landing.BeforeTheEpoch;
        }

        foreach (object fact in new JournalReader(journal).Events(LearnerActor.JournalId))
        {
            state = fact switch
            {
                EpochStarted started => state.Apply(started),
                GroupSettled settled => state.Apply(settled),
                StepCommitted committed => state.Apply(committed),
                CheckpointTaken taken => state.Apply(taken),
                _ => state,
            };
        }

        string[] checkpoints = [.. Directory.GetDirectories(Path.Combine(folder, "checkpoints")).Select(path => Path.GetFileName(path))];
        return state.Epoch == epochs ? Landing.BeforeTheEpoch
            : checkpoints.Any(name => name.EndsWith(".partial", StringComparison.Ordinal)) ? Landing.WithinCheckpoint
            : checkpoints.Any(name => string.CompareOrdinal(name, FormattableString.Invariant($"step-{state.CheckpointStep:D6}")) > 0)
                ? Landing.BetweenRenameAndJournal
            : state.NextStep == steps ? Landing.AfterTheLastStep
            : state.GroupsOf(state.NextStep).Count == groups ? Landing.WithinLearning
            : Landing.WithinSampling;
    }
}
