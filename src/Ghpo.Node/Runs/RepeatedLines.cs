using System.Globalization;
using System.Text.RegularExpressions;
using Serilog.Core;
using Serilog.Events;

namespace Ghpo.Node.Runs;

/// <summary>
/// For a terminal: what Akka itself says over and over, as while a learner is away, goes through once in <see cref="Interval"/>; numbers do not make it another line. Lines of this project and
/// errors always go through. Thread-safe.
/// </summary>
internal sealed partial class RepeatedLines(TimeProvider time) : ILogEventFilter
{
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    /// <summary>Different lines that are remembered; then all are forgotten.</summary>
    private const int Most = 200;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _told = [];

    public bool IsEnabled(LogEvent logEvent)
    {
        if (logEvent.Level >= LogEventLevel.Error
            || !(logEvent.Properties.GetValueOrDefault(Constants.SourceContextPropertyName) is ScalarValue { Value: string source } && source.StartsWith("Akka.", StringComparison.Ordinal)))
        {
            return true;
        }

        string line = Number().Replace(logEvent.RenderMessage(CultureInfo.InvariantCulture), "#");
        lock (_lock)
        {
            if (_told.TryGetValue(line, out long at) && time.GetElapsedTime(at) < Interval)
            {
                return false;
            }

            if (_told.Count == Most)
            {
                _told.Clear();
            }

            _told[line] = time.GetTimestamp();
            return true;
        }
    }

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();
}
