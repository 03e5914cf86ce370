using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Node.Reporting;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace Ghpo.Node.Runs;

/// <summary>
/// The log of a run: structured, one compact JSON object a line, in <c>logs/ghpo.log</c>; warnings and errors also reach the view.
/// </summary>
internal static class RunLog
{
    public static Logger Open(RunFolder folder, LogVerbosity level, IRunView view)
    {
        LogEventLevel least = level switch
        {
            LogVerbosity.Verbose => LogEventLevel.Verbose,
            LogVerbosity.Debug => LogEventLevel.Debug,
            LogVerbosity.Information => LogEventLevel.Information,
            LogVerbosity.Warning => LogEventLevel.Warning,
            _ => LogEventLevel.Error,
        };
        return new LoggerConfiguration()
            .MinimumLevel.Is(least)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .Enrich.FromLogContext()
            .WriteTo.File(new CompactJsonFormatter(), folder.Log, shared: false, fileSizeLimitBytes: null)
            .WriteTo.Sink(new ViewSink(view), LogEventLevel.Warning)
            .CreateLogger();
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
