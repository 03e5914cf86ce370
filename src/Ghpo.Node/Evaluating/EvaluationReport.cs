using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ghpo.Node.Comparing;
using Ghpo.Verification;
using Spectre.Console;

namespace Ghpo.Node.Evaluating;

/// <summary>Figures of one group of problems.</summary>
/// <param name="Average">avg@k with the 95 % interval over problems.</param>
/// <param name="Pass">pass@j by j.</param>
internal sealed record LevelFigures(string Level, int Problems, MeanEstimate Average, IReadOnlyDictionary<int, double> Pass, double Majority);

/// <summary>What <c>ghpo eval</c> found, by level and over all.</summary>
internal sealed record EvaluationReport(
    string Model, string Data, int Answers, long Seed, IReadOnlyList<LevelFigures> Levels, int Unjudged, IReadOnlyDictionary<string, int> Verdicts, double MeanTokens)
{
    private const string All = "all";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static EvaluationReport Of(string model, string data, long seed, IReadOnlyList<ProblemScore> scores)
    {
        int k = scores[0].Answers.Count;
        ProblemScore[] counted = [.. scores.Where(score => score.Counts)];
        int[] draws = [.. Powers(k)];
        var levels = counted.GroupBy(score => score.Problem.Level)
            .Where(_ => counted.Any(score => score.Problem.Level != counted[0].Problem.Level))
            .OrderBy(level => level.Key, StringComparer.Ordinal)
            .Select(level => Figures(level.Key.Length > 0 ? level.Key : "–", [.. level], draws))
            .ToList();
        if (counted.Length > 0)
        {
            levels.Add(Figures(All, counted, draws));
        }

        JudgedAnswer[] answers = [.. scores.SelectMany(score => score.Answers)];
        return new EvaluationReport(
            model,
            data,
            k,
            seed,
            levels,
            scores.Count - counted.Length,
            Enum.GetValues<Verdict>().ToDictionary(verdict => verdict.ToString(), verdict => answers.Count(answer => answer.Verdict == verdict)),
            answers.Average(answer => answer.Tokens));
    }

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public void Print(IAnsiConsole console)
    {
        Table table = new Table().AddColumns("level", "problems", $"avg@{Answers}", "95 % interval");
        foreach (int draws in Powers(Answers).Where(_ => Answers > 1))
        {
            table.AddColumn($"pass@{draws}");
        }

        if (Answers > 1)
        {
            table.AddColumn($"maj@{Answers}");
        }

        foreach (LevelFigures level in Levels)
        {
            string interval = level.Average is { Low: { } low, High: { } high } ? $"[[{Figure(Math.Max(0, low))}, {Figure(Math.Min(1, high))}]]" : "–";
            string[] several = Answers > 1 ? [.. level.Pass.OrderBy(pass => pass.Key).Select(pass => Figure(pass.Value)), Figure(level.Majority)] : [];
            table.AddRow([Markup.Escape(level.Level), level.Problems.ToString(CultureInfo.InvariantCulture), Figure(level.Average.Mean), interval, .. several]);
        }

        for (int column = 1; column < table.Columns.Count; column++)
        {
            table.Columns[column].RightAligned();
        }

        console.Write(table);
        console.WriteLine($"verdicts: {string.Join(", ", Verdicts.Where(verdict => verdict.Value > 0).Select(verdict => $"{verdict.Key} {verdict.Value}"))}; {MeanTokens.ToString("0.0", CultureInfo.InvariantCulture)} tokens an answer");
        if (Unjudged > 0)
        {
            console.WriteLine($"{Unjudged} problems could not be judged and are in no figure");
        }
    }

    private static LevelFigures Figures(string level, ProblemScore[] scores, int[] draws) => new(
        level,
        scores.Length,
        MeanEstimate.Of([.. scores.Select(score => score.Average)]),
        draws.ToDictionary(j => j, j => scores.Average(score => score.Pass(j))),
        scores.Average(score => score.Majority()));

    /// <summary>1, 2, 4, ... and k.</summary>
    private static IEnumerable<int> Powers(int k)
    {
        for (int j = 1; j < k; j *= 2)
        {
            yield return j;
        }

        yield return k;
    }

    private static string Figure(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
}
