using Ghpo.Configuration;
using Ghpo.Journal;
using Ghpo.Node.Runs;

namespace Ghpo.Node.Journaling;

/// <summary>A run that is looked into: its folder, the settings it was started with, and its journal, to be read only.</summary>
internal sealed record RunJournal(RunFolder Folder, GhpoSettings Settings, JournalReader Journal)
{
    /// <exception cref="UserErrorException">There is no such run.</exception>
    public static RunJournal Open(string nameOrPath)
    {
        RunFolder folder = RunFolder.Open(nameOrPath);
        GhpoSettings settings = folder.ReadSettings();
        return new RunJournal(folder, settings, new JournalReader(settings.Journal, folder.Journal));
    }
}
