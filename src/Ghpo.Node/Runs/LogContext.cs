using Ghpo.Inspection;
using Ghpo.Node.Reporting;
using Serilog.Core;
using Serilog.Events;

namespace Ghpo.Node.Runs;

/// <summary>
/// What every line of a run's log carries beside its own facts: the run, and the step. Of a line about a group it is the group's step, else the one that the learner
/// is at; with staleness the two differ.
/// </summary>
internal sealed class LogContext(string run) : ILogEventEnricher, IRunObserver
{
    private readonly LogEventProperty _run = new("Run", new ScalarValue(run));
    private volatile int _step;

    public void Observe(object runEvent, RunProgress progress) => _step = progress.StepsDone;

    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        logEvent.AddPropertyIfAbsent(_run);
        if (!logEvent.Properties.ContainsKey("Step"))
        {
            logEvent.AddPropertyIfAbsent(propertyFactory.CreateProperty("Step", StepOf(logEvent) ?? _step));
        }
    }

    public void Dispose()
    {
    }

    /// <summary>A group is named as step/index, an attempt at it as step/index.attempt.</summary>
    private static int? StepOf(LogEvent logEvent) =>
        logEvent.Properties.TryGetValue("Group", out LogEventPropertyValue? group)
        && group is ScalarValue { Value: { } value }
        && value.ToString()!.Split('/') is [var step, _]
        && int.TryParse(step, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int number)
            ? number
            : null;
}
