using Ghpo.Bench.Chaos;
using Xunit;

namespace Ghpo.Tests.Runs;

/// <summary>The quickest of what <c>bench cluster-faults</c> plays: a network that is cut, and a database that is away.</summary>
public sealed class ClusterFaultTests : IDisposable
{
    private const int Groups = 6;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_worker_on_a_host_that_was_cut_off_gives_its_groups_to_others_and_serves_again_when_the_network_is_healed()
    {
        (HostNetwork? made, string whyNot) = HostNetwork.TryMake();
        using HostNetwork network = made ?? throw Xunit.Sdk.SkipException.ForSkip(whyNot);
        string calm = await OneProcess();
        (int first, int second) = (network.AddHost(), network.AddHost());
        using var stage = Stage(network, null);
        await stage.BeginAsync(null, first, second);

        network.Cut(first);
        await stage.OpenSettledAsync();
        await stage.Run.FreezeAsync("w2", frozen: true);
        network.Heal(first);
        await stage.MoreAsync(Groups);
        await stage.Run.FreezeAsync("w2", frozen: false);

        await stage.EndAsync(calm);
    }

    [Fact]
    public async Task A_database_that_was_killed_under_a_run_is_waited_for()
    {
        (PostgresServer? made, string whyNot) = PostgresServer.TryStart("127.0.0.1", "127.0.0.1/32", ClusterRun.FreePort());
        using PostgresServer server = made ?? throw Xunit.Sdk.SkipException.ForSkip(whyNot);
        string calm = await OneProcess();
        using var stage = Stage(null, server.ConnectionString);
        await stage.BeginAsync();

        server.Kill();
        await stage.SaidAsync(stage.Run.Learner, "The run waits for its journal");
        server.Start();
        await stage.MoreAsync(Groups);

        await stage.EndAsync(calm);
    }

    [Fact]
    public async Task A_run_that_ends_while_a_dead_worker_still_is_a_member_ends_its_other_workers_too()
    {
        string calm = await OneProcess();
        using FaultStage stage = Stage(null, null);
        await stage.BeginAsync();
        await stage.Run.KillWorkerAsync("w1");
        await stage.OpenSettledAsync();

        await stage.EndAsync(calm);
    }

    private FaultStage Stage(HostNetwork? network, string? postgres)
    {
        string folder = Path.Combine(_folder.Path, "run");
        return new FaultStage(folder, FaultStage.Train(folder, 30, Groups, postgres), Groups, network, postgres);
    }

    private async Task<string> OneProcess()
    {
        string calm = Path.Combine(_folder.Path, "calm");
        using GhpoProcess process = GhpoProcess.Start(FaultStage.Train(calm, 30, Groups, null));
        await process.Ended;
        Assert.True(process.ExitCode == 0, process.Printed);
        return calm;
    }
}
