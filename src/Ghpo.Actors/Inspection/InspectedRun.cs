using Akka.Actor;
using Ghpo.Dispatch;
using Ghpo.Learning;

namespace Ghpo.Inspection;

/// <summary>Whom the verbs ask.</summary>
/// <param name="Run">The run's actor, or a proxy of it.</param>
/// <param name="Watcher">The <see cref="RunWatchActor"/> beside it.</param>
public sealed record InspectedRun(ActorSystem System, IActorRef Run, IActorRef Watcher, RunContext Context)
{
    /// <summary>How long an actor may take to answer; then the answer says that it did not.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    internal Task<RunWatchActor.WatchView> Watch() => Watcher.Ask<RunWatchActor.WatchView>(new RunWatchActor.GetWatch(), Patience);

    internal Task<RunProtocol.TeamView> Team() => Run.Ask<RunProtocol.TeamView>(new RunProtocol.GetTeam(), Patience);

    /// <exception cref="InvalidOperationException">The team is being started again.</exception>
    internal async Task<T> Ask<T>(string member, object question)
    {
        RunProtocol.TeamView team = await Team();
        return team.Members.TryGetValue(member, out IActorRef? actor)
            ? await actor.Ask<T>(question, Patience)
            : throw new InvalidOperationException($"there is no {member} at the moment: the team is being started again");
    }

    /// <summary>Has an order to a member journalled, where the learner can; the order is obeyed all the same, for it may be what a run that stands still needs.</summary>
    /// <returns>What the answer says besides: nothing, or that it is not in the journal.</returns>
    internal async Task<IEnumerable<ResponseLine>> Note(MemberOrder order, string member, string by)
    {
        object answer;
        try
        {
            answer = await Run.Ask<object>(new SteeringProtocol.SteerMember(order, member, by), Patience);
        }
        catch (AskTimeoutException)
        {
            answer = new SteeringProtocol.NotSteered($"the learner has not answered for {Patience.TotalSeconds:0} s");
        }

        return answer is SteeringProtocol.NotSteered refused ? [Verbs.Line($"this is in the log alone, not in the journal: {refused.Problem}", new { NotJournalled = refused.Problem })] : [];
    }

    /// <summary>The verbs of every subject that this process knows.</summary>
    public IEnumerable<VerbPalette> Palettes()
    {
        var steering = new RunVerbs(this);
        var removal = new MemberRemoval(System);
        var cluster = new ClusterVerbs(System, (request, member) => removal.AsLearnerAsync(request, member, this, steering.Stop));
        return
        [
            steering.Palette, new WaitVerbs(this).Why, new WaitVerbs(this).Pipeline, new RolloutVerbs(RolloutPlace.Of(this)).Rollout, new WorkerVerbs(this).Palette, new VerifierVerbs(this).Palette,
            new CurriculumVerbs(this).Palette, new HintVerbs(this, steering).Palette, cluster.Cluster, cluster.Actor,
        ];
    }
}
