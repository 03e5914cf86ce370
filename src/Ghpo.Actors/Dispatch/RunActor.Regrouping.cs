using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Rollout;

namespace Ghpo.Dispatch;

/// <summary>From a member's failure to a new team, or to the run's end.</summary>
public sealed partial class RunActor
{
    private const int MaxRestarts = 3;

    /// <summary>How long a run waits for its journal's database to come back.</summary>
    internal static readonly TimeSpan OutagePatience = TimeSpan.FromMinutes(10);

    private const string Deaf = "the team is being started again; try again in some seconds";
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _outageInterval = TimeSpan.FromSeconds(2);

    /// <summary>Since when the journal's database has not answered, and why; null: it does.</summary>
    private long? _outageSince;
    private string? _outage;

    private void Regrouping()
    {
        Receive<SteeringProtocol.StopNoted>(_ => _stopRequested = true);
        Receive<RunProtocol.GetTeam>(_ => Sender.Tell(new RunProtocol.TeamView(
            _run.Name, ImmutableSortedDictionary<string, IActorRef>.Empty, _outage ?? _failure?.GetBaseException().Message, _restarts)));
        Receive<SteeringProtocol.SteerRun>(_ => Sender.Tell(new SteeringProtocol.NotSteered(Deaf)));
        Receive<SteeringProtocol.SteerMember>(_ => Sender.Tell(new SteeringProtocol.NotSteered(Deaf)));
        Receive<SteeringProtocol.ChangeSetting>(_ => Sender.Tell(new SteeringProtocol.NotSteered(Deaf)));
        Receive<RunEvents.RunEnded>(End);
        Receive<RunProtocol.StopRun>(_ => _stopRequested = true);
        Receive<SessionProtocol.OfferWorker>(_ => { });
        Receive<VerificationProtocol.OfferVerifier>(_ => { });
        Receive<WorkerProtocol.GetWorkers>(_ => Sender.Tell(new WorkerProtocol.WorkersView([])));
        Receive<VerificationProtocol.GetVerifiers>(_ => Sender.Tell(new VerificationProtocol.VerifiersView([])));
        Receive<WorkerProtocol.DrainWorker>(drain => Sender.Tell(new WorkerProtocol.WorkerTold(drain.Name, "the team starts again just now; try in a moment")));
        Receive<WorkerProtocol.ResumeWorker>(resume => Sender.Tell(new WorkerProtocol.WorkerTold(resume.Name, "the team starts again just now; try in a moment")));
        Receive<JournalFailed>(Note);
        Receive<Terminated>(gone =>
        {
            _members.Remove(gone.ActorRef);
            ContinueWhenAllAreGone();
        });
        Receive<LookAtHold>(_ => { });
        Receive<AssembleAgain>(_ => _run.Hold.CheckBeforeStartAsync().PipeTo(
            Self, failure: cause => new HoldState.Unreachable($"the hold on the journal cannot be looked at: {cause.GetBaseException().Message}")));
        Receive<HoldState>(AssembleIfHeld);
    }

    private void Regroup(string lost)
    {
        _failure ??= new InvalidOperationException($"{lost} stopped without saying why; see the log.");
        _log.Error(_failure, "{Member} of run {Run} failed; the team starts again from the journal.", lost, _run.Name);
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
            Fail(cause.Message);
            return;
        }

        Timers.StartSingleTimer(nameof(AssembleAgain), new AssembleAgain(), _pause * _restarts);
    }

    private void AssembleIfHeld(HoldState hold)
    {
        switch (hold)
        {
            case HoldState.Held:
                if (_outageSince is { } since)
                {
                    _log.Info("The journal's database is back after {Seconds:0} s", _run.Time.GetElapsedTime(since).TotalSeconds);
                    (_outageSince, _outage) = (null, null);
                }

                Become(Working);
                Assemble();
                break;
            case HoldState.Taken taken:
                Fail(taken.By);
                break;
            case HoldState.Unreachable unreachable:
                _outageSince ??= OutageBegins(unreachable.Reason);
                _outage = unreachable.Reason;
                if (_stopRequested || _run.Time.GetElapsedTime(_outageSince.Value) >= OutagePatience)
                {
                    Fail(unreachable.Reason);
                    break;
                }

                Timers.StartSingleTimer(nameof(AssembleAgain), new AssembleAgain(), _outageInterval);
                break;
        }
    }

    private long OutageBegins(string reason)
    {
        _log.Warning("The run waits for its journal, {Minutes:0} minutes at most: {Reason}", OutagePatience.TotalMinutes, reason);
        return _run.Time.GetTimestamp();
    }

    private sealed record AssembleAgain;
}
