using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Node.Runs;

namespace Ghpo.Node.Journaling;

/// <summary>A run that is looked into: its folder, its settings from step to step, and its journal, to be read only.</summary>
internal sealed record RunJournal(RunFolder Folder, ControlTimeline Timeline, JournalReader Journal)
{
    /// <summary>The settings in force now.</summary>
    public GhpoSettings Settings => Timeline.Newest;

    /// <exception cref="UserErrorException">There is no such run.</exception>
    public static RunJournal Open(string nameOrPath)
    {
        RunFolder folder = RunFolder.Open(nameOrPath);
        GhpoSettings started = folder.ReadSettings();
        var journal = new JournalReader(started.Journal, folder.Journal);
        bool begun = started.Journal.Provider != JournalProvider.Sqlite || File.Exists(folder.Journal);
        return new RunJournal(folder, new ControlTimeline(started, begun ? Controls(journal) : []), journal);
    }

    /// <summary>What users changed since the run was started.</summary>
    public static ImmutableList<LearnerProtocol.ControlApplied> Controls(JournalReader journal) =>
    [
        .. journal.Events(LearnerActor.JournalId, [.. GhpoEventSerializer.ManifestsOf(typeof(LearnerProtocol.ControlApplied))])
            .OfType<LearnerProtocol.ControlApplied>(),
    ];
}
