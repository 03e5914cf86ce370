using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;

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
/// No team works on a journal that this process does not hold: one starts when <see cref="IJournalHold"/> says so, and starts again when the hold was lost for a while, for
/// then it has to read what others may have written. A database that does not answer is waited for, <see cref="OutagePatience"/> long; that counts as no failure.
/// Where another process holds the journal, the run ends here.
/// </para>
/// <para>
/// Failure: an error that would come again (diverged weights, a user's mistake) ends the run at once; any other one ends it when it
/// comes <see cref="MaxRestarts"/> times without a committed step between. The reason goes out as <see cref="RunEvents.RunEnded"/>.
/// </para>
/// </summary>
public sealed partial class RunActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan _holdInterval = TimeSpan.FromSeconds(1);

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

    /// <summary>The hold that the team was started under.</summary>
    private HoldState? _hold;

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
        Timers.StartPeriodicTimer(nameof(LookAtHold), new LookAtHold(), _holdInterval);
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
        Receive<SteeringProtocol.StopNoted>(_ =>
        {
            _stopRequested = true;
            _team!.Dispatcher.Tell(new DispatchProtocol.StopExpected());
        });
        Receive<RunProtocol.GetTeam>(_ => Sender.Tell(new RunProtocol.TeamView(
            _run.Name, _team!.Members.ToImmutableSortedDictionary(member => member.Path.Name, member => member), _lastFailure, _restarts)));
        Receive<SteeringProtocol.SteerRun>(order => _team!.Learner.Forward(order));
        Receive<SteeringProtocol.SteerMember>(order => _team!.Learner.Forward(order));
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
        Receive<VerificationProtocol.GetVerifiers>(query =>
        {
            if (_team!.Verification is { } verification)
            {
                verification.Forward(query);
            }
            else
            {
                Sender.Tell(new VerificationProtocol.VerifiersView([]));
            }
        });
        Receive<WorkerProtocol.DrainWorker>(drain => _team!.Dispatcher.Forward(drain));
        Receive<WorkerProtocol.ResumeWorker>(resume => _team!.Dispatcher.Forward(resume));
        Receive<JournalFailed>(Note);
        Receive<LookAtHold>(_ => LookWhileWorking());
        Receive<Terminated>(gone =>
        {
            _members.Remove(gone.ActorRef);
            if (gone.ActorRef.Equals(_team?.Pipeline) && _failure is null)
            {
                // All groups have settled and no step follows: the learner is about to end the run.
                return;
            }

            Regroup(gone.ActorRef.Path.Name);
        });
    }

    private void LookWhileWorking()
    {
        switch (_run.Hold.State)
        {
            case HoldState.Taken taken:
                // The members go first, in their order; what the hold says then ends the run.
                _failure ??= new SupersededException(taken.By);
                Regroup("the journal's hold");
                break;
            case HoldState.Held held when !held.Equals(_hold):
                _failure ??= new SupersededException("the hold on the journal was lost for a while; what others may have written is read again");
                Regroup("the journal's hold");
                break;
            default:
                // One that does not answer is heard of from whoever has to write.
                break;
        }
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
        _hold = _run.Hold.State;
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

    private void Fail(string reason)
    {
        var ended = new RunEvents.RunEnded(RunOutcome.Failed, _stepsTaken, reason, ModelFolder: null);
        Context.System.EventStream.Publish(ended);
        End(ended);
    }

    private void End(RunEvents.RunEnded ended)
    {
        _log.Info("Run {Run} ended: {Outcome} {Reason}", _run.Name, ended.Outcome, ended.Reason ?? "");
        Context.Stop(Self);
    }

    private sealed record LookAtHold;
}
