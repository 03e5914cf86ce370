using Ghpo.Tests.Journal;

namespace Ghpo.Tests.Learning;

public sealed class LearnerRunTests : LearnerRunSpecs
{
    private protected override void Prepare(string folder)
    {
        // SQLite, in the folder.
    }
}

public sealed class LearnerRunOnPostgresTests : LearnerRunSpecs
{
    private protected override void Prepare(string folder) => TestJournal.UsePostgres(folder);
}
