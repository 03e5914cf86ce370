using System.Text.Json.Nodes;
using Akka;
using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Node.Journaling;
using Serilog.Events;
using static Ghpo.Inspection.Verbs;

namespace Ghpo.Node.Inspecting;

/// <summary>What the process answers beside its run: its log, and the journal as the offline commands read it.</summary>
internal sealed class NodeVerbs(RunContext run, LogBuffer lines)
{
    private const int TailBuffer = 256;
    private static readonly SemaphoreSlim _reading = new(1);

    public VerbPalette Log => new("log", "The log of this process",
    [
        Tail("tail", "The last lines, and the next ones as they come", request => Follow(request.Number("last", 0, LogBuffer.Kept)), Option("last", "lines to begin with", "10", "-n")),
        Once("level", "What is logged from now on, until the process ends", request => Task.FromResult(SetLevel(request.Arguments["level"])),
            Place("level", "verbose, debug, information, warning or error")),
    ]);

    public VerbPalette Journal => new("journal", "The journal, as `ghpo journal` reads it; read beside the run",
    [
        Once("check", "That nothing is lost, trained twice or skipped", _ => Read((journal, json, output) => JournalCheckView.Run(journal, json, output))),
        Once(
            "lineage", "What made a step, or what a problem was used for",
            request => (request.Arguments.GetValueOrDefault("step"), request.Arguments.GetValueOrDefault("problem")) switch
            {
                (not null, null) => Read((journal, json, output) => JournalLineage.PrintStep(journal, request.Number("step", 0, int.MaxValue), json, output)),
                (null, { } problem) => Read((journal, json, output) => JournalLineage.PrintProblem(journal, problem, json, output)),
                _ => throw new UserErrorException("journal lineage needs either --step or --problem"),
            },
            Option("step", "the step"), Option("problem", "id of the problem")),
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

    private Source<ResponseLine, NotUsed> Follow(int last) => Source.From(lines.Last(last)).Concat(Source
            .ActorRef<LogLine>(TailBuffer, OverflowStrategy.Fail)
            .MapMaterializedValue(listener => (listener, Listening: lines.Listen(line => listener.Tell(line))))
            .WatchTermination((listening, ended) =>
            {
                _ = ended.ContinueWith(_ => listening.Listening.Dispose(), TaskScheduler.Default);
                return NotUsed.Instance;
            }))
        .Select(line => Line(line.ToString(), line))
        .MapMaterializedValue(_ => NotUsed.Instance);

    /// <summary>On a thread of its own and one at a time: a long journal takes a while, and the run comes first.</summary>
    private async Task<IEnumerable<ResponseLine>> Read(Action<RunJournal, bool, TextWriter> print)
    {
        await _reading.WaitAsync();
        try
        {
            return await Task.Factory.StartNew(
                () =>
                {
                    RunJournal journal = RunJournal.Open(run.Folder);
                    var text = new StringWriter();
                    var json = new StringWriter();
                    print(journal, false, text);
                    print(journal, true, json);
                    return (IEnumerable<ResponseLine>)[new ResponseLine(text.ToString().TrimEnd(), JsonNode.Parse(json.ToString())!.ToJsonString())];
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
        }
        finally
        {
            _reading.Release();
        }
    }
}
