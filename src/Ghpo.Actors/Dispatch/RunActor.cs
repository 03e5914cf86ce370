using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Rollout;

namespace Ghpo.Dispatch;

/// <summary>
/// The run: a cluster singleton that starts the team (curriculum, hint schedule, trainer, learner, verifiers, classifier, workers,
/// pipeline) and keeps it alive.
/// <para>
/// Lifecycle: <c>Working</c> ⇄ <c>Regrouping</c> → ended. Whatever member fails, all members are stopped and, once they are gone, started again from the journal after
/// a pause. A team that restarts as a whole needs no protocol for members that come back with older knowledge than the others, and loses
/// nothing: what was acknowledged is in the journal, the rest is done again with the same seeds.
/// </para>
/// <para>
/// Failure: an error that would come again (diverged weights, a user's mistake) ends the run at once; any other one ends it when it
/// comes <see cref="MaxRestarts"/> times without a committed step between. The reason goes out as <see cref="RunEvents.RunEnded"/>.
/// </para>
/// </summary>
public sealed class RunActor : ReceiveActor, IWithTimers
{
    private const int MaxRestarts = 3;
    private const string Deaf = "the team is being started again; try again in some seconds";
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    private readonly RunContext _run;
    private readonly Func<IActorRefFactory, RunContext, RunTeam> _assemble;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly HashSet<IActorRef> _members = [];
    private RunTeam? _team;
    private Exception? _failure;
    private string? _lastFailure;
    private int _restarts;
    private int _stepsTaken;
    private bool _stopRequested;

    /// <param name="assemble">Starts the members as children of the given context.</param>
    public RunActor(RunContext run, Func<IActorRefFactory, RunContext, RunTeam> assemble)
    {
        _run = run;
        _assemble = assemble;
        Working();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe<RunEvents.StepCompleted>(Self);
        Assemble();
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(failure =>
    {
        // The first failure is the cause; what follows it are its consequences.
        _failure ??= failure;
        return Directive.Stop;
    });

    private void Working()
    {
        Receive<SteeringProtocol.StopNoted>(_ => _stopRequested = true);
        Receive<RunProtocol.GetTeam>(_ => Sender.Tell(new RunProtocol.TeamView(
            _run.Name, _team!.Members.ToImmutableSortedDictionary(member => member.Path.Name, member => member), _lastFailure, _restarts)));
        Receive<SteeringProtocol.SteerRun>(order => _team!.Learner.Forward(order));
        Receive<SteeringProtocol.ChangeSetting>(change => _team!.Learner.Forward(change));
        Receive<RunEvents.StepCompleted>(completed =>
        {
            _restarts = 0;
            _stepsTaken = completed.Report.Step + 1;
        });
        Receive<RunEvents.RunEnded>(End);
        Receive<RunProtocol.StopRun>(_ => RequestStop());
        Receive<SessionProtocol.OfferWorker>(offer => _team!.Dispatcher.Forward(offer));
        Receive<VerificationProtocol.OfferVerifier>(offer =>
        {
            if (_team!.Verification is { } verification)
            {
                verification.Forward(offer);
            }
            else
            {
                offer.Session.Tell(new SessionProtocol.WorkerRefused("the learner of this run verifies by itself; start it with --cluster and verification.on-nodes = true"));
            }
        });
        Receive<WorkerProtocol.GetWorkers>(query => _team!.Dispatcher.Forward(query));
        Receive<WorkerProtocol.DrainWorker>(drain => _team!.Dispatcher.Forward(drain));
        Receive<WorkerProtocol.ResumeWorker>(resume => _team!.Dispatcher.Forward(resume));
        Receive<JournalFailed>(Note);
        Receive<Terminated>(gone =>
        {
            _members.Remove(gone.ActorRef);
            if (gone.ActorRef.Equals(_team?.Pipeline) && _failure is null)
            {
                // All groups have settled and no step follows: the learner is about to end the run.
                return;
            }

            Regroup(gone.ActorRef);
        });
    }

    private void Regrouping()
    {
        Receive<SteeringProtocol.StopNoted>(_ => _stopRequested = true);
        Receive<RunProtocol.GetTeam>(_ => Sender.Tell(new RunProtocol.TeamView(
            _run.Name, ImmutableSortedDictionary<string, IActorRef>.Empty, _failure?.GetBaseException().Message, _restarts)));
        Receive<SteeringProtocol.SteerRun>(_ => Sender.Tell(new SteeringProtocol.NotSteered(Deaf)));
        Receive<SteeringProtocol.ChangeSetting>(_ => Sender.Tell(new SteeringProtocol.NotSteered(Deaf)));
        Receive<RunEvents.RunEnded>(End);
        Receive<RunProtocol.StopRun>(_ => _stopRequested = true);
        Receive<SessionProtocol.OfferWorker>(_ => { });
        Receive<VerificationProtocol.OfferVerifier>(_ => { });
        Receive<WorkerProtocol.GetWorkers>(_ => Sender.Tell(new WorkerProtocol.WorkersView([])));
        Receive<WorkerProtocol.DrainWorker>(drain => Sender.Tell(new WorkerProtocol.WorkerTold(drain.Name, "the team starts again just now; try in a moment")));
        Receive<WorkerProtocol.ResumeWorker>(resume => Sender.Tell(new WorkerProtocol.WorkerTold(resume.Name, "the team starts again just now; try in a moment")));
        Receive<JournalFailed>(Note);
        Receive<Terminated>(gone =>
        {
            _members.Remove(gone.ActorRef);
            ContinueWhenAllAreGone();
        });
        Receive<AssembleAgain>(_ =>
        {
            Become(Working);
            Assemble();
        });
    }

    /// <summary>Comes before the news that the actor has stopped; the actor has logged it with its stack.</summary>
    private void Note(JournalFailed failed) => _failure ??= failed.Cause.GetBaseException() is UserErrorException mistake
        ? mistake
        : new IOException(
            $"the journal of the {failed.Stream} could not be written or read: {failed.Cause.GetBaseException().Message} "
            + "See that its disk has space and its database runs.");

    private void Assemble()
    {
        _failure = null;
        _team = _assemble(Context, _run);
        foreach (IActorRef member in _team.Members)
        {
            _members.Add(member);
            Context.Watch(member);
        }

        if (_stopRequested)
        {
            RequestStop();
        }
    }

    private void RequestStop()
    {
        _stopRequested = true;
        _team!.Learner.Tell(new LearnerProtocol.StopAfterStep());
        _team.Dispatcher.Tell(new DispatchProtocol.StopExpected());
    }

    private void Regroup(IActorRef lost)
    {
        _failure ??= new InvalidOperationException($"{lost.Path.Name} stopped without saying why; see the log.");
        _log.Error(_failure, "{Member} of run {Run} failed; the team starts again from the journal.", lost.Path.Name, _run.Name);
        _lastFailure = _failure.GetBaseException().Message;
        Become(Regrouping);

        // Against the order of their start: a learner that saw its trainer go before it was told to stop itself would end the run.
        foreach (IActorRef member in _team!.Members.Reverse())
        {
            Context.Stop(member);
        }

        ContinueWhenAllAreGone();
    }

    private void ContinueWhenAllAreGone()
    {
        if (_members.Count > 0)
        {
            return;
        }

        Exception cause = _failure!.GetBaseException();
        if (cause is UserErrorException or NonFiniteLogitsException || ++_restarts > MaxRestarts)
        {
            var ended = new RunEvents.RunEnded(RunOutcome.Failed, _stepsTaken, cause.Message, ModelFolder: null);
            Context.System.EventStream.Publish(ended);
            End(ended);
            return;
        }

        Timers.StartSingleTimer("assemble", new AssembleAgain(), _pause * _restarts);
    }

    private void End(RunEvents.RunEnded ended)
    {
        _log.Info("Run {Run} ended: {Outcome} {Reason}", _run.Name, ended.Outcome, ended.Reason ?? "");
        Context.Stop(Self);
    }

    private sealed record AssembleAgain;
}
