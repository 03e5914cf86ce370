using System.Collections.Immutable;
using System.Globalization;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Display;

namespace Ghpo.Node.Inspecting;

/// <summary>The newest lines of the log, and whoever wants the next ones. Thread-safe; a listener must not block.</summary>
internal sealed class LogBuffer(LogEventLevel least) : ILogEventSink
{
    /// <summary>Lines kept.</summary>
    public const int Kept = 200;

    /// <summary>Texts as they are, without the quotation marks that tell them from numbers in a file.</summary>
    private static readonly MessageTemplateTextFormatter _format = new("{Message:lj}", CultureInfo.InvariantCulture);

    private readonly Lock _lock = new();
    private readonly Queue<LogLine> _lines = new();
    private ImmutableList<Action<LogLine>> _listeners = [];

    /// <summary>What is logged, by all sinks; may be changed at any time.</summary>
    public LoggingLevelSwitch Level { get; } = new(least);

    public ImmutableArray<LogLine> Last(int count)
    {
        lock (_lock)
        {
            return [.. _lines.TakeLast(count)];
        }
    }

    /// <summary>Disposing it ends the listening.</summary>
    public IDisposable Listen(Action<LogLine> listener)
    {
        lock (_lock)
        {
            _listeners = _listeners.Add(listener);
        }

        return new Listening(this, listener);
    }

    public void Emit(LogEvent logEvent)
    {
        string cause = logEvent.Exception is { } exception ? $": {exception.Message}" : "";
        var text = new StringWriter(CultureInfo.InvariantCulture);
        _format.Format(logEvent, text);
        var line = new LogLine(logEvent.Timestamp, logEvent.Level, text + cause);
        ImmutableList<Action<LogLine>> listeners;
        lock (_lock)
        {
            _lines.Enqueue(line);
            if (_lines.Count > Kept)
            {
                _lines.Dequeue();
            }

            listeners = _listeners;
        }

        listeners.ForEach(listener => listener(line));
    }

    private sealed class Listening(LogBuffer buffer, Action<LogLine> listener) : IDisposable
    {
        public void Dispose()
        {
            lock (buffer._lock)
            {
                buffer._listeners = buffer._listeners.Remove(listener);
            }
        }
    }
}

internal sealed record LogLine(DateTimeOffset At, LogEventLevel Level, string Text)
{
    public override string ToString() => $"{At.UtcDateTime:HH:mm:ss.fff} {Level.ToString().ToUpperInvariant()[..4]} {Text}";
}
