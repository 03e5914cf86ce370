using Akka.Actor;
using Akka.Routing;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Difficulty;
using Ghpo.Hints;
using Ghpo.Learning;
using Ghpo.Rollout;

namespace Ghpo.Dispatch;

/// <summary>The members of a run's team that others must know by name.</summary>
/// <param name="Dispatcher">Knows the workers and what they have in hand.</param>
/// <param name="Members">All of them, these included.</param>
public sealed record RunTeam(IActorRef Learner, IActorRef Pipeline, IActorRef Dispatcher, IReadOnlyList<IActorRef> Members)
{
    /// <summary>Takes verifiers of other nodes; null: the learner's process alone verifies.</summary>
    public IActorRef? Verification { get; init; }

    private const string TrainerDispatcher = "ghpo-trainer-dispatcher";
    internal const string RolloutDispatcher = "ghpo-rollout-dispatcher";

    /// <summary>How long the hint schedule's journal may take to grant a hint.</summary>
    private static readonly TimeSpan _hintPatience = TimeSpan.FromSeconds(30);

    /// <summary>Starts every member as a child of <paramref name="parent"/>.</summary>
    public static RunTeam Start(IActorRefFactory parent, RunContext run)
    {
        GhpoSettings settings = run.Settings;
        IActorRef curriculum = parent.ActorOf(
            CurriculumActor.Props(settings.Curriculum, settings.Run.Seed, [.. run.Problems.Train.Select(problem => problem.Id)]), "curriculum");
        IActorRef hints = parent.ActorOf(HintScheduleActor.Props(run.Started.Hints, settings.Rollout.Staleness), "hints");
        IActorRef trainer = parent.ActorOf(
            TrainerActor.Props(run.CreateTrainer, run.Publish, run.RequireHold()).WithDispatcher(TrainerDispatcher), "trainer");
        IActorRef learner = parent.ActorOf(
            LearnerActor.Props(new ControlledSettings(run.Started, run.Requests, run.Folder) { LevelOf = run.LevelOf }, curriculum, hints, trainer, run.Time), "learner");
        IActorRef verifiers = parent.ActorOf(
            Props.Create(() => new AnswerVerifierActor(run.ProblemsById, run.Tokenizer, run.Verifier))
                .WithRouter(new RoundRobinPool(settings.Verification.Workers)),
            "verifiers");
        IActorRef? verification = run.VerifiesOnNodes ? parent.ActorOf(Props.Create(() => new VerificationActor(run, verifiers)), "verification") : null;
        IActorRef classifier = parent.ActorOf(Props.Create(() => new DifficultyClassifierActor(hints, _hintPatience)), "classifier");
        IReadOnlyList<IActorRef> workers = [.. Enumerable.Range(0, settings.Rollout.Workers).Select(i => StartWorker(parent, run, $"rollout-{i}"))];
        IActorRef dispatcher = parent.ActorOf(Props.Create(() => new DispatcherActor(run, learner, workers)), "dispatcher");
        var stages = new PipelineTeam(learner, curriculum, hints, classifier, verification ?? verifiers, dispatcher);
        IActorRef pipeline = parent.ActorOf(Props.Create(() => new PipelineActor(run, stages)), "pipeline");
        IActorRef[] judges = verification is null ? [verifiers] : [verifiers, verification];
        return new RunTeam(learner, pipeline, dispatcher, [curriculum, hints, trainer, learner, .. judges, classifier, .. workers, dispatcher, pipeline])
        {
            Verification = verification,
        };
    }

    private static IActorRef StartWorker(IActorRefFactory parent, RunContext run, string name)
    {
        RolloutSettings rollout = run.Settings.Rollout;
        long seed = run.Settings.Run.Seed;
        return parent.ActorOf(
            Props.Create(() => new RolloutWorkerActor(name, run.CreateEngine, run.Policies, rollout, seed)).WithDispatcher(RolloutDispatcher), name);
    }
}
