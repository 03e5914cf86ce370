using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Ghpo.Inspection;
using static Ghpo.Inspection.RunEvents;

namespace Ghpo.Node.Reporting;

/// <summary>
/// Hands a run's events to its observers, in order, on this actor's own time: publishing costs the run nothing. An observer that fails is
/// named in the log and left out from then on; the others and the run go on. Its task is completed after the last event.
/// </summary>
public sealed class RunWatcherActor : ReceiveActor
{
    /// <summary>The events that it must be subscribed to, before the run begins.</summary>
    public static readonly ImmutableArray<Type> Events =
        [
            typeof(RunStarted), typeof(StepCompleted), typeof(PolicyMeasured), typeof(CheckpointWritten), typeof(PipelineProgress),
            typeof(RunOrdered), typeof(SettingChanged), typeof(Stalled), typeof(InspectionOpened), typeof(MetricsServed), typeof(WorkersSeen), typeof(RunEnded),
        ];

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly TaskCompletionSource<RunProgress> _ended;
    private ImmutableList<IRunObserver> _observers;
    private RunProgress _progress = RunProgress.None;

    public RunWatcherActor(IEnumerable<IRunObserver> observers, TaskCompletionSource<RunProgress> ended)
    {
        _observers = [.. observers];
        _ended = ended;
        Receive<RunStarted>(Show);
        Receive<StepCompleted>(Show);
        Receive<PolicyMeasured>(Show);
        Receive<CheckpointWritten>(Show);
        Receive<PipelineProgress>(Show);
        Receive<RunOrdered>(Show);
        Receive<SettingChanged>(Show);
        Receive<Stalled>(Show);
        Receive<InspectionOpened>(Show);
        Receive<MetricsServed>(Show);
        Receive<WorkersSeen>(Show);
        Receive<RunEnded>(last =>
        {
            Show(last);
            _ended.TrySetResult(_progress);
        });
    }

    private void Show(object runEvent)
    {
        _progress = _progress.Apply(runEvent);
        foreach (IRunObserver observer in _observers)
        {
            try
            {
                observer.Observe(runEvent, _progress);
            }
            catch (Exception failure)
            {
                _observers = _observers.Remove(observer);
                _log.Error(failure, "{Observer} failed and gets no further events of this run", observer.GetType().Name);
            }
        }
    }
}
