using Ghpo.Configuration;
using Ghpo.Journal;
using Ghpo.Tests.Runs;
using Npgsql;
using Xunit;

namespace Ghpo.Tests.Journal;

/// <summary>What becomes of a hold whose connection is gone: the server was restarted, or has not heard of the holder for too long.</summary>
public sealed class PostgresHoldTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PostgresHoldTests() => TestJournal.UsePostgres(_folder.Path);

    private JournalSettings Settings => TestJournal.SettingsOf(_folder.Path);

    public void Dispose()
    {
        TestJournal.Drop(_folder.Path);
        _folder.Dispose();
    }

    [Fact]
    public async Task A_lost_hold_that_nobody_else_took_is_taken_again_in_a_new_term()
    {
        using PostgresHold hold = PostgresHold.Take(Settings);
        Assert.Equal(new HoldState.Held(1), await hold.CheckAsync());

        await EndConnectionsAsync();

        Assert.Equal(new HoldState.Held(2), await hold.CheckAsync());
        Assert.Equal(new HoldState.Held(2), await hold.CheckAsync());
        Assert.Throws<UserErrorException>(() => PostgresHold.Take(Settings));
    }

    [Fact]
    public async Task A_hold_that_another_process_has_taken_stays_lost()
    {
        using PostgresHold stale = PostgresHold.Take(Settings);
        await EndConnectionsAsync();
        using (PostgresHold.Take(Settings))
        {
            Assert.Contains("was taken over by ghpo process", Assert.IsType<HoldState.Taken>(await stale.CheckAsync()).By, StringComparison.Ordinal);
        }

        Assert.IsType<HoldState.Taken>(await stale.CheckAsync());
        Assert.IsType<HoldState.Taken>(stale.State);
    }

    private async Task EndConnectionsAsync()
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Settings.ConnectionString) { Pooling = false }.ToString());
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var end = new NpgsqlCommand(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name LIKE 'ghpo process%' AND datname = current_database()", connection);
        Assert.Equal(1L, await end.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }
}
