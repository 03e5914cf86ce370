using System.Collections.Immutable;
using Akka.Actor;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Tests.Journal;
using Xunit;
using static Ghpo.Learning.LearnerProtocol;
using static Ghpo.Rollout.RolloutProtocol;

namespace Ghpo.Tests.Dispatch;

public sealed class RolloutWorkerActorTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ActorSystem _system = ActorSystem.Create("worker-tests", """
        akka.loglevel = OFF
        akka.stdout-loglevel = OFF
        akka.actor.guardian-supervisor-strategy = "Akka.Actor.StoppingSupervisorStrategy"
        """);

    private readonly PolicyStore _store = new(kept: 2);
    private readonly GatedEngine _engine = new(slots: 4);
    private readonly RolloutSettings _settings;
    private IActorRef _worker;

    public RolloutWorkerActorTests()
    {
        var settings = new RolloutSettings(
            GroupSize: 2, MaxNewTokens: 8, Temperature: 1, TopK: 0, TopP: 1, Workers: 1, Slots: 4, CacheBytes: 1 << 20, Threads: 1, Staleness: 0, SwitchInFlight: false, Deadline: Patience);
        _settings = settings;
        _worker = _system.ActorOf(Props.Create(() => new RolloutWorkerActor("worker", () => _engine, _store, settings, 1)));
    }

    public void Dispose()
    {
        _system.Dispose();
        _store.Dispose();
    }

    [Fact]
    public async Task A_group_that_needs_a_newer_policy_waits_for_it_while_others_are_sampled()
    {
        _engine.Open();
        Publish(0);
        Task<RolloutGroup> newer = Sample(step: 1, index: 0, oldest: 1);
        RolloutGroup older = await Sample(step: 0, index: 0, oldest: 0);
        WorkerView view = await View();
        Assert.Equal((new PolicyVersion(0), 0, 1), (view.Version, view.RunningGroups, view.WaitingGroups));
        Assert.False(newer.IsCompleted);

        Publish(1);
        Assert.Equal(new PolicyVersion(0), older.Version);
        Assert.Equal(new PolicyVersion(1), (await newer).Version);
        Assert.Equal(["load v0", Submit(0, 0), "load v1", Submit(1, 0)], _engine.Record);
    }

    [Fact]
    public async Task A_new_policy_is_loaded_only_between_groups_and_no_group_is_admitted_while_it_waits()
    {
        Publish(0);
        Task<RolloutGroup> running = Sample(step: 0, index: 0, oldest: 0);
        Publish(1);
        Task<RolloutGroup> waiting = Sample(step: 0, index: 1, oldest: 0);
        WorkerView view = await View();
        Assert.Equal((new PolicyVersion(0), 1, 1), (view.Version, view.RunningGroups, view.WaitingGroups));

        _engine.Open();
        Assert.Equal(new PolicyVersion(0), (await running).Version);
        Assert.Equal(new PolicyVersion(1), (await waiting).Version);
        Assert.Equal(["load v0", Submit(0, 0), "load v1", Submit(0, 1)], _engine.Record);
    }

    [Fact]
    public async Task A_withdrawn_group_is_dropped_wherever_it_is_and_the_worker_goes_on_without_it()
    {
        Publish(0);
        Task<RolloutGroup> running = Sample(step: 0, index: 0, oldest: 0);
        Publish(1);
        Task<RolloutGroup> waiting = Sample(step: 0, index: 1, oldest: 0);
        Task<RolloutGroup> wanted = Sample(step: 0, index: 2, oldest: 0);
        _worker.Tell(new WithdrawGroup(new GroupId(0, 1), Attempt: 0));
        _worker.Tell(new WithdrawGroup(new GroupId(0, 0), Attempt: 1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal((new PolicyVersion(0), 1, 1), ((await View()).Version, (await View()).RunningGroups, (await View()).WaitingGroups));

        _worker.Tell(new WithdrawGroup(new GroupId(0, 0), Attempt: 0));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        _engine.Open();
        Assert.Equal(new PolicyVersion(1), (await wanted).Version);
        Assert.Equal(["load v0", Submit(0, 0), "withdraw group 0/0, attempt 0", "load v1", Submit(0, 2)], _engine.Record);
    }

    [Fact]
    public async Task With_switch_in_flight_a_running_group_goes_on_under_the_new_policy_and_keeps_the_version_it_was_begun_under()
    {
        RolloutSettings settings = _settings with { Staleness = 1, SwitchInFlight = true };
        _worker = _system.ActorOf(Props.Create(() => new RolloutWorkerActor("worker", () => _engine, _store, settings, 1)));
        Publish(0);
        Task<RolloutGroup> running = Sample(step: 0, index: 0, oldest: 0);
        Publish(1);
        Task<RolloutGroup> next = Sample(step: 1, index: 0, oldest: 0);
        WorkerView view = await View();
        Assert.Equal((new PolicyVersion(1), 2, 0), (view.Version, view.RunningGroups, view.WaitingGroups));

        _engine.Open();
        Assert.Equal(new PolicyVersion(0), (await running).Version);
        Assert.Equal(new PolicyVersion(1), (await next).Version);
        Assert.Equal(["load v0", Submit(0, 0), "switch to v1", Submit(1, 0)], _engine.Record);
    }

    [Fact]
    public async Task With_switch_in_flight_groups_of_an_older_epoch_are_not_taken_along()
    {
        RolloutSettings settings = _settings with { Staleness = 1, SwitchInFlight = true };
        _worker = _system.ActorOf(Props.Create(() => new RolloutWorkerActor("worker", () => _engine, _store, settings, 1)));
        Publish(0);
        Task<RolloutGroup> running = Sample(step: 0, index: 0, oldest: 0);
        Publish(1, epoch: 2);
        Assert.Equal(new PolicyVersion(0), (await View()).Version);

        _engine.Open();
        Assert.Equal((1, new PolicyVersion(0)), ((await running).Epoch, (await running).Version));
        Assert.Equal(["load v0", Submit(0, 0), "load v1"], _engine.Record);
    }

    [Fact]
    public async Task As_many_groups_run_as_have_room_for_all_their_answers()
    {
        Publish(0);
        Task<RolloutGroup>[] groups = [.. Enumerable.Range(0, 3).Select(index => Sample(step: 0, index, oldest: 0))];
        WorkerView view = await View();
        Assert.Equal((2, 1, 4), (view.RunningGroups, view.WaitingGroups, view.RunningSequences));

        _engine.Open();
        Assert.Equal([0, 1, 2], (await Task.WhenAll(groups)).Select(group => group.Prompted.Attempt.Group.Index));
    }

    [Fact]
    public async Task A_policy_of_an_older_epoch_is_refused()
    {
        _engine.Open();
        Publish(1, epoch: 2);
        Publish(2, epoch: 1);
        RolloutGroup group = await Sample(step: 1, index: 0, oldest: 1);

        Assert.Equal((2, new PolicyVersion(1)), (group.Epoch, group.Version));
        Assert.Equal(["load v1", Submit(1, 0)], _engine.Record);
    }

    [Fact]
    public async Task A_policy_that_comes_after_a_newer_one_is_passed_over()
    {
        _engine.Open();
        Publish(1);
        Publish(0);
        Assert.Equal(new PolicyVersion(1), (await Sample(step: 1, index: 0, oldest: 1)).Version);
        Assert.DoesNotContain("load v0", _engine.Record);
    }

    [Fact]
    public async Task A_policy_published_again_by_a_new_epoch_is_loaded_again_and_its_groups_are_of_that_epoch()
    {
        _engine.Open();
        Publish(1);
        Assert.Equal(1, (await Sample(step: 1, index: 0, oldest: 1)).Epoch);
        Publish(1, epoch: 2);
        Assert.Equal(2, (await Sample(step: 1, index: 1, oldest: 1)).Epoch);
    }

    [Fact]
    public async Task Weights_that_are_not_those_that_were_published_stop_the_worker_before_it_samples_under_them()
    {
        Task stopped = Stopped();
        Task<RolloutGroup> waiting = Sample(step: 0, index: 0, oldest: 0);
        _store.Publish(Snapshot(0, "held"));
        _worker.Tell(new PolicyPublished(1, new PolicyVersion(0), "published"));

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => waiting);
        Assert.Contains("v0 was published with hash published, but the store holds held", failure.Message, StringComparison.Ordinal);
        await stopped;
        Assert.Equal(["dispose"], _engine.Record);
    }

    [Fact]
    public async Task A_worker_that_is_late_passes_over_policies_that_newer_ones_have_displaced()
    {
        _engine.Open();
        foreach (int version in new[] { 1, 2, 3 })
        {
            _store.Publish(Snapshot(version, $"hash {version}"));
        }

        // It hears of the first one only now; the store keeps two.
        Task<RolloutGroup> waiting = Sample(step: 1, index: 0, oldest: 1);
        foreach (int version in new[] { 1, 2, 3 })
        {
            _worker.Tell(new PolicyPublished(1, new PolicyVersion(version), $"hash {version}"));
        }

        Assert.InRange((await waiting).Version.Value, 2, 3);
        Assert.DoesNotContain("load v1", _engine.Record);
    }

    [Fact]
    public async Task A_policy_that_the_store_never_had_stops_the_worker()
    {
        Task<RolloutGroup> waiting = Sample(step: 0, index: 0, oldest: 0);
        _worker.Tell(new PolicyPublished(1, new PolicyVersion(0), "hash"));

        await Assert.ThrowsAsync<PolicyGoneException>(() => waiting);
        await Stopped();
    }

    [Theory]
    [InlineData("load")]
    [InlineData("submit")]
    [InlineData("step")]
    public async Task An_engine_that_throws_fails_every_group_in_hand_and_stops_the_worker(string call)
    {
        // Six groups, two of which have room.
        Task<RolloutGroup>[] groups = [.. Enumerable.Range(0, 6).Select(index => Sample(step: 0, index, oldest: 0))];
        Assert.Equal(6, (await View()).WaitingGroups);
        Task stopped = Stopped();
        _engine.Fails = (call, new NonFiniteLogitsException("logits are NaN"));
        Publish(0);

        foreach (Task<RolloutGroup> group in groups)
        {
            await Assert.ThrowsAsync<NonFiniteLogitsException>(() => group);
        }

        await stopped;
        Assert.Equal("dispose", _engine.Record.Last());
    }

    private void Publish(int version, long epoch = 1)
    {
        _store.Publish(Snapshot(version, $"hash {version}", epoch));
        _worker.Tell(new PolicyPublished(epoch, new PolicyVersion(version), $"hash {version}"));
    }

    private Task<RolloutGroup> Sample(int step, int index, int oldest) => _worker.Ask<RolloutGroup>(
        new SampleGroup(
            new PromptedGroup(new GroupAttempt(new GroupId(step, index), new ProblemId("p"), 0, 0), [1, 2], [], 0, false, true), new PolicyVersion(oldest)),
        Patience);

    private Task<WorkerView> View() => _worker.Answer<WorkerView>(new GetWorker());

    private Task Stopped() => _worker.WatchAsync(TestContext.Current.CancellationToken).WaitAsync(Patience);

    private static PolicySnapshot Snapshot(int version, string hash, long epoch = 1) =>
        new(epoch, new PolicyVersion(version), hash, ImmutableDictionary<string, TorchSharp.torch.Tensor>.Empty);

    private static string Submit(int step, int index) => $"submit group {step}/{index}, attempt 0";
}
