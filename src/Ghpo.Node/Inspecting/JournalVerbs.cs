using System.Text.Json.Nodes;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Journaling;
using static Ghpo.Inspection.Verbs;

namespace Ghpo.Node.Inspecting;

/// <summary>The journal, as the offline commands read it.</summary>
internal sealed class JournalVerbs(string folder)
{
    private static readonly SemaphoreSlim _reading = new(1);

    public VerbPalette Palette => new("journal", "The journal, as `ghpo journal` reads it; read beside the run",
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

    /// <summary>On a thread of its own and one at a time: a long journal takes a while, and the run comes first.</summary>
    private async Task<IEnumerable<ResponseLine>> Read(Action<RunJournal, bool, TextWriter> print)
    {
        await _reading.WaitAsync();
        try
        {
            return await Task.Factory.StartNew(
                () =>
                {
                    RunJournal journal = RunJournal.Open(folder);
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
