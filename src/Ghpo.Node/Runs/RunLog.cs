using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Node.Inspecting;
using Ghpo.Node.Reporting;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace Ghpo.Node.Runs;

/// <summary>
/// The log of a run: structured, one compact JSON object a line, in <c>logs/ghpo.log</c>; warnings and errors also reach the view.
/// On a full disk lines are lost, and the view says so in the end; the run does not depend on them.
/// </summary>
internal sealed class RunLog : IAsyncDisposable
{
    private readonly IRunView _view;

    private RunLog(Logger logger, LogContext context, LogBuffer lines, IRunView view)
    {
        Logger = logger;
        Context = context;
        Lines = lines;
        _view = view;
    }

    public Logger Logger { get; }

    /// <summary>What its lines carry; to be shown the run's events.</summary>
    public LogContext Context { get; }

    /// <summary>Its newest lines, for whoever looks in.</summary>
    public LogBuffer Lines { get; }

    public static RunLog Open(RunFolder folder, LogVerbosity level, IRunView view)
    {
        LogEventLevel least = level switch
        {
            LogVerbosity.Verbose => LogEventLevel.Verbose,
            LogVerbosity.Debug => LogEventLevel.Debug,
            LogVerbosity.Information => LogEventLevel.Information,
            LogVerbosity.Warning => LogEventLevel.Warning,
            _ => LogEventLevel.Error,
        };
        var lines = new LogBuffer(least);
        var context = new LogContext(folder.Name);
        Logger logger = new LoggerConfiguration()
            .MinimumLevel.ControlledBy(lines.Level)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .Enrich.FromLogContext()
            .Enrich.With(context)
            .WriteTo.File(new CompactJsonFormatter(), folder.Log, shared: false, fileSizeLimitBytes: null)
            .WriteTo.Sink(new ViewSink(view), LogEventLevel.Warning)
            .WriteTo.Sink(lines)
            .CreateLogger();
        return new RunLog(logger, context, lines, view);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Logger.DisposeAsync();
        }
        catch (IOException failure)
        {
            _view.Note($"warning: the log is cut short: {failure.Message}");
        }
    }

    private sealed class ViewSink(IRunView view) : ILogEventSink
    {
        public void Emit(LogEvent logEvent)
        {
            string cause = logEvent.Exception is { } exception ? $": {exception.Message}" : "";
            string kind = logEvent.Level == LogEventLevel.Warning ? "warning" : "error";
            view.Note($"{kind}: {logEvent.RenderMessage(CultureInfo.InvariantCulture)}{cause}");
        }
    }
}
