using System.Diagnostics;
using System.Text.RegularExpressions;
using Akka.Actor;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Tests.Runs;
using Xunit;

namespace Ghpo.Tests.Inspecting;

/// <summary>
/// A whole run whose members stop, one after the other, as if their threads hung: they take no message until they are thawed. The run's watch has a clock that goes
/// <see cref="Haste"/> times as fast, and asks no oftener than it always does.
/// </summary>
public sealed class FrozenRoleTests : IDisposable
{
    private const int Haste = 6;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>Who stops, whom the watch names, and what it says. The trainer comes first: what the learner's freeze does to it makes it more patient with it.</summary>
    private static readonly (string Member, string Culprit, string Sentence)[] _roles =
    [
        ("trainer", "trainer", @"; trainer is [a-z ]+ \(step \d+.*\) since \d+ s, and silent for \d+ s$"),
        ("rollout-0", "rollout-0", @"^learner waits for \d of 5 groups of step \d+; rollout-0 silent for \d+ s in .+ \(\d (groups? in hand|wait for another worker)\)$"),
        ("dispatcher", "dispatcher", @"^dispatcher silent for \d+ s: no worker gets a group$"),
        ("verifiers", "verification", @"^learner waits for \d of 5 groups of step \d+; verification holds \d and has passed on nothing since \d+ s$"),
        ("classifier", "classification", @"^learner waits for \d of 5 groups of step \d+; classification holds \d and has passed on nothing since \d+ s$"),
        ("hints", "hints", @"^hints silent for \d+ s: a write to the hint schedule's journal has not come back$"),
        ("curriculum", "curriculum", @"^curriculum silent for \d+ s: a write to the curriculum's journal has not come back$"),
        ("learner", "learner", @"^learner silent for \d+ s: a write to the learner's journal has not come back$"),
        ("pipeline", "pipeline", @"^learner waits for \d of 5 groups of step \d+; pipeline silent for \d+ s: no group gets from one stage to the next$"),
        ("run", "run", @"^run silent for \d+ s: nobody would notice a member that fails$"),
    ];

    private readonly TinyRun _tiny = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task Whatever_role_stops_is_named_by_the_run_s_watch_and_when_it_goes_on_the_run_has_lost_nothing()
    {
        string folder = _tiny.NewFolder();
        // One worker: of two, the other one would take over what the frozen one keeps.
        (RunContext run, Tutor tutor) = TinyRun.Create(folder, _tiny.Settings("run.steps=1000", "rollout.workers=1"));
        tutor.BeforeStep = () => Thread.Sleep(5);
        int steps;
        await using (RunSession session = await RunSession.Start(run, new HastyTime()))
        {
            foreach ((string member, string culprit, string sentence) in _roles)
            {
                await GoesOn(session);
                IInternalActorRef actor = await Find(session, member);
                session.Stalls.Clear();
                actor.Suspend();
                await Until(session, diagnosis => diagnosis.Stalled && diagnosis.Culprit == culprit && Regex.IsMatch(diagnosis.Sentence, sentence), $"{culprit} is at fault, as {member} does nothing");
                await Until(session, _ => session.Stalls.Any(told => !told.Over), $"the stall of {member} is told of");
                actor.Resume();
                await Until(session, _ => session.Stalls.Any(told => told.Over), $"the end of the stall of {member} is told of");
            }

            await GoesOn(session);
            session.StopRun();
            Assert.Equal(RunOutcome.Stopped, (await session.Ended).Outcome);
            steps = session.Steps.Count;
        }

        TinyRun.RequireSound(folder, steps);
        Assert.Equal(await Calm(steps), TinyRun.Hashes(folder));
    }

    /// <summary>Hashes after each of the first steps of the same run, with nothing in its way.</summary>
    private async Task<IEnumerable<string>> Calm(int steps)
    {
        string folder = _tiny.NewFolder();
        await using (RunSession session = await RunSession.Start(TinyRun.Create(folder, _tiny.Settings("run.steps=1000")).Run))
        {
            while (session.Steps.Count < steps)
            {
                await Task.Delay(20, Stop);
            }

            session.StopRun();
            await session.Ended;
        }

        return TinyRun.Hashes(folder).Take(steps);
    }

    private static async Task GoesOn(RunSession session)
    {
        int before = session.Steps.Count;
        await Until(session, diagnosis => !diagnosis.Stalled && session.Steps.Count > before + 1, "the run goes on");
    }

    private static async Task<IInternalActorRef> Find(RunSession session, string member)
    {
        RunProtocol.TeamView team = await session.Run.Ask<RunProtocol.TeamView>(new RunProtocol.GetTeam(), _patience, Stop);
        IActorRef found = member == StallWatch.RunName
            ? await session.System.ActorSelection(team.Members.Values.First().Path.Parent).ResolveOne(_patience, Stop)
            : team.Members[member];
        return (IInternalActorRef)found;
    }

    private static async Task Until(RunSession session, Func<Diagnosis, bool> holds, string what)
    {
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            Diagnosis diagnosis = (await session.Watch.Ask<RunWatchActor.WatchView>(new RunWatchActor.GetWatch(), _patience, Stop)).Diagnosis;
            if (holds(diagnosis))
            {
                return;
            }

            Assert.True(Stopwatch.GetElapsedTime(begun) < _patience, $"{what}: not seen; the watch says: {diagnosis}");
            await Task.Delay(20, Stop);
        }
    }

    private sealed class HastyTime : TimeProvider
    {
        private readonly DateTimeOffset _began = System.GetUtcNow();

        public override DateTimeOffset GetUtcNow() => _began + (System.GetUtcNow() - _began) * Haste;
    }
}
