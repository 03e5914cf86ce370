using Akka.Actor;
using Akka.Event;
using Akka.Hosting.Logging;
using LogLevel = Akka.Event.LogLevel;

namespace Ghpo.Node.Runs;

/// <summary>
/// Hands Akka's log events to the host's loggers. Akka's own lines have positional templates whose numbers may be out of order
/// (<c>"[{1}] … {0}"</c>); structured loggers pair arguments with placeholders in the order of the text, so such a line would show its
/// arguments in each other's places. It is formatted here, by number, and goes on as plain text; named templates stay structured.
/// </summary>
public sealed class OrderedTemplateLogger : LoggerFactoryLogger
{
    protected override void Log(LogEvent log, ActorPath path) => base.Log(WithoutPositions(log), path);

    internal static LogEvent WithoutPositions(LogEvent log)
    {
        if (!log.GetPropertyNames().Any(name => name.Length > 0 && char.IsAsciiDigit(name[0])))
        {
            return log;
        }

        // Braces in the arguments must not be read as placeholders again.
        string text = log.Message.ToString()!.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);
        return log.LogLevel() switch
        {
            LogLevel.DebugLevel => new Debug(log.Cause, log.LogSource, log.LogClass, text),
            LogLevel.InfoLevel => new Info(log.Cause, log.LogSource, log.LogClass, text),
            LogLevel.WarningLevel => new Warning(log.Cause, log.LogSource, log.LogClass, text),
            _ => new Error(log.Cause, log.LogSource, log.LogClass, text),
        };
    }
}
