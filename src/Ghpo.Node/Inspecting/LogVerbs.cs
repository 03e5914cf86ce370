using Akka;
using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Serilog.Events;
using static Ghpo.Inspection.Verbs;

namespace Ghpo.Node.Inspecting;

/// <summary>The log of the process.</summary>
internal sealed class LogVerbs(LogBuffer lines)
{
    private const int TailBuffer = 256;

    public VerbPalette Palette => new("log", "The log of this process",
    [
        Tail("tail", "The last lines, and the next ones as they come", request => Follow(request.Number("last", 0, LogBuffer.Kept)), Option("last", "lines to begin with", "10", "-n")),
        Once("peek", "The last lines", request => Task.FromResult(lines.Last(request.Number("last", 1, LogBuffer.Kept)).Select(Describe)), Option("last", "how many", "10", "-n")),
        Once("level", "What is logged from now on, until the process ends", request => Task.FromResult(SetLevel(request.Arguments["level"])),
            Place("level", "verbose, debug, information, warning or error", values: [.. Enum.GetNames<LogVerbosity>().Select(level => level.ToLowerInvariant())])),
    ]);

    private IEnumerable<ResponseLine> SetLevel(string name)
    {
        if (!Enum.TryParse(name, ignoreCase: true, out LogVerbosity level) || !Enum.IsDefined(level))
        {
            string near = Nearest.To(name, Enum.GetNames<LogVerbosity>().Select(known => known.ToLowerInvariant())) is { } known ? $"; did you mean {known}?" : "";
            throw new UserErrorException($"log level {name}: must be verbose, debug, information, warning or error{near}");
        }

        lines.Level.MinimumLevel = (LogEventLevel)(int)level;
        return [Line($"logged from now on: {name} and above", new { Level = name })];
    }

    private static ResponseLine Describe(LogLine line) => Line(line.ToString(), new { line.At, line.Level, line.Text, Line = line.ToString() });

    private Source<ResponseLine, NotUsed> Follow(int last) => Source.From(lines.Last(last)).Concat(Source
            .ActorRef<LogLine>(TailBuffer, OverflowStrategy.Fail)
            .MapMaterializedValue(listener => (listener, Listening: lines.Listen(line => listener.Tell(line))))
            .WatchTermination((listening, ended) =>
            {
                _ = ended.ContinueWith(_ => listening.Listening.Dispose(), TaskScheduler.Default);
                return NotUsed.Instance;
            }))
        .Select(Describe)
        .MapMaterializedValue(_ => NotUsed.Instance);
}
