using Akka.Actor;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Policy;
using Ghpo.Tests.Learning;
using Ghpo.Tests.Runs;
using Npgsql;
using Xunit;
using static Ghpo.Learning.TrainerProtocol;

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

    /// <summary>Held again is not held all along: in between another learner may have written what this one does not know.</summary>
    [Fact]
    public async Task A_trainer_of_an_earlier_term_writes_no_checkpoint_deletes_none_and_publishes_no_weights()
    {
        using var tiny = new TinyRun();
        using PostgresHold hold = PostgresHold.Take(Settings);
        (RunContext run, _) = TinyRun.Create(tiny.NewFolder(), tiny.Settings());
        run = run with { Hold = hold };
        var published = new List<PolicySnapshot>();
        using var system = ActorSystem.Create("terms", "akka.loglevel = OFF\nakka.stdout-loglevel = OFF");
        IActorRef first = system.ActorOf(TrainerActor.Props(() => new LearnerFakeTrainer(), published.Add, run.RequireHold()));
        await first.Answer<Restored>(new Restore([]));
        string folder = Path.Combine(_folder.Path, "step-000000");
        await first.Answer<CheckpointSaved>(new SaveCheckpoint(0, folder));
        await first.Answer<Published>(new Publish(1));

        await EndConnectionsAsync();
        await File.WriteAllTextAsync(Path.Combine(folder, "weights"), "another learner's", TestContext.Current.CancellationToken);

        await first.Answer<Superseded>(new SaveCheckpoint(0, folder));
        await first.Answer<Superseded>(new DeleteCheckpoints([folder]));
        await first.Answer<Superseded>(new Publish(1));
        Assert.Equal(new HoldState.Held(2), hold.State);
        Assert.Equal("another learner's", await File.ReadAllTextAsync(Path.Combine(folder, "weights"), TestContext.Current.CancellationToken));
        Assert.Single(published);

        // The team that starts again in the new term is the one that may.
        IActorRef second = system.ActorOf(TrainerActor.Props(() => new LearnerFakeTrainer(), published.Add, run.RequireHold()));
        await second.Answer<Restored>(new Restore([]));
        await second.Answer<Published>(new Publish(2));
        Assert.Equal([1L, 2L], published.Select(policy => policy.Epoch));
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
