using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Ghpo.Inspection;
using Ghpo.Node.Inspecting;

namespace Ghpo.Node.Top;

/// <summary>Asks a host for what <c>ghpo top</c> shows, with the same verbs that a user types. What one verb cannot tell leaves the others' answers as they are.</summary>
internal sealed class TopFeed(PbmClient client, string address)
{
    private const int LogLines = 8;

    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private TopState _state = TopState.Of(address);
    private string? _problem;
    private (long Tokens, long At)? _sampled;

    /// <exception cref="Configuration.UserErrorException">The connection is gone.</exception>
    public async Task<TopState> NextAsync()
    {
        _problem = null;
        ImmutableArray<JsonObject> run = await Ask("run", "status");
        ImmutableArray<JsonObject> steps = await Ask("run", "metrics", ("last", RunProgress.Window.ToString(CultureInfo.InvariantCulture)));
        ImmutableArray<JsonObject> workers = await Ask("worker", "list");
        ImmutableArray<JsonObject> stages = await Ask("pipeline", "show");
        ImmutableArray<JsonObject> why = Offers("run", "status") ? [] : await Ask("why", "");
        ImmutableArray<JsonObject> log = await Ask("log", "peek", ("last", LogLines.ToString(CultureInfo.InvariantCulture)));
        _state = _state.WithSteps(steps.Select(StepOf)) with
        {
            Run = run.Select(one => one.Deserialize<TopRun>(_json)).FirstOrDefault(),
            Workers = [.. workers.Select(one => new TopWorker(
                Text(one, "name"), Text(one, "node"), Text(one, "state"), one["version"]?.GetValue<int>(), Number(one, "groups"), Number(one, "running_sequences"), Rate(one), Text(one, "why")))],
            Stages = [.. stages.Select(one => new TopStage(
                Text(one, "stage"), Number(one, "in"), Number(one, "out"), Number(one, "groups"), Number(one, "bound"), Text(one, "state"), Real(one, "since_seconds")))],
            Node = why.Select(one => $"{Text(one, "name")} {Text(one, "sentence")}").FirstOrDefault(),
            Log = [.. log.Select(one => Text(one, "line"))],
            Problem = _problem,
        };
        return _state;
    }

    /// <summary>A node without the learner knows fewer verbs.</summary>
    private bool Offers(string palette, string command) => client.Palettes.Any(known => known.Name == palette && known.Commands.Any(one => one.Name == command));

    /// <summary>As the learner knows it; of a node's own worker what it sampled between this answer and the one before, null at the first.</summary>
    private double? Rate(JsonObject worker)
    {
        if (worker["tokens_per_second"] is not null)
        {
            return Real(worker, "tokens_per_second");
        }

        (long Tokens, long At) now = (worker["tokens_sampled"]?.GetValue<long>() ?? 0, Stopwatch.GetTimestamp());
        (long Tokens, long At)? before = _sampled;
        _sampled = now;
        return before is { } known ? Math.Max(0, now.Tokens - known.Tokens) / Stopwatch.GetElapsedTime(known.At, now.At).TotalSeconds : null;
    }

    private static TopStep StepOf(JsonObject step)
    {
        double groups = Math.Max(1, Number(step, "groups"));
        double unhinted = step["settled"]!.AsArray().Where(settled => settled!["hint_ratio"]!.GetValue<double>() == 0).Sum(settled => settled!["groups"]!.GetValue<int>());
        return new TopStep(Number(step, "step"), Real(step, "mean_reward"), Real(step, "accuracy"), 1 - (unhinted / groups));
    }

    private static string Text(JsonObject fact, string name) => fact[name]?.GetValue<string>() ?? "";

    private static int Number(JsonObject fact, string name) => fact[name]?.GetValue<int>() ?? 0;

    private static double Real(JsonObject fact, string name) => fact[name] switch
    {
        null => 0,
        JsonValue value when value.TryGetValue(out double number) => number,
        var named => double.Parse(named.GetValue<string>(), CultureInfo.InvariantCulture),
    };

    private async Task<ImmutableArray<JsonObject>> Ask(string palette, string command, params (string Name, string Value)[] arguments)
    {
        var facts = ImmutableArray.CreateBuilder<JsonObject>();
        if (!Offers(palette, command))
        {
            return [];
        }

        var request = new InspectionRequest(palette, command, arguments.ToImmutableSortedDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal), "top");
        await foreach (ResponseLine line in client.AskAsync(request, CancellationToken.None))
        {
            if (line.Error)
            {
                _problem ??= line.Text;
            }
            else if (line.Json is not null)
            {
                facts.Add(JsonNode.Parse(line.Json)!.AsObject());
            }
        }

        return facts.ToImmutable();
    }
}
