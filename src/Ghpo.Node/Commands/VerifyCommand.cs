using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Ghpo.Configuration;
using Ghpo.Verification;
using Ghpo.Verification.Cases;
using Ghpo.Verification.Equivalence;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo verify</c>: judges a file of answers, one verdict a line, and sums them up by class.</summary>
internal static class VerifyCommand
{
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Build()
    {
        var file = new Argument<string>("FILE")
        {
            Description = "JSON lines with gold, pred and, if wanted, id, expect, class, mode, opts, max_ms (gold_gen and pred_gen: lists of [text, count]).",
        };
        var json = new Option<bool>("--json") { Description = "Write JSON only: one verdict a line, then one line with the summary." };
        var command = new Command("verify", "Judges answers against their references and prints one verdict a line.") { file, json };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(file), parsed.GetValue(json), parsed.InvocationConfiguration.Output));
        return command;
    }

    private static int Run(string path, bool json, TextWriter output)
    {
        if (!File.Exists(path))
        {
            throw new UserErrorException($"{path} does not exist; name a file of JSON lines");
        }

        WarmUp();
        var classes = new SortedDictionary<string, Tally>(StringComparer.Ordinal);
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (line.AsSpan().Trim().Length == 0)
            {
                continue;
            }

            VerifierCase item = Read(path, number, line);
            long started = Stopwatch.GetTimestamp();
            (Verdict verdict, string reason) = CaseJudge.Judge(item);
            double milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            output.WriteLine(JsonSerializer.Serialize(
                new { id = item.Id.Length > 0 ? item.Id : number.ToString(CultureInfo.InvariantCulture), verdict = verdict.ToString(), ms = Math.Round(milliseconds, 3), reason }, Json));
            string name = item.Class.Length > 0 ? item.Class : "all";
            classes[name] = classes.GetValueOrDefault(name).With(item, verdict, milliseconds);
        }

        Summarize(classes, json, output);
        return ExitCodes.Success;
    }

    /// <summary>Without it the first verdicts would time the compiler.</summary>
    private static void WarmUp()
    {
        foreach ((string gold, string pred) in new[]
        {
            ("5", @"So it is \boxed{\frac{10}{2}}."), (@"\sqrt{5+2\sqrt6}", @"Final answer: $\sqrt2+\sqrt3$"), (@"\sin 2x", @"answer is $2\sin x\cos x$"), ("(1,2]", @"\boxed{1<x\le2}"),
            (@"\{1,2\}", "<answer>2, 1</answer>"), ("2x+y=1", "#### y=1-2x"), (@"\begin{pmatrix}1\\2\end{pmatrix}", "(1,2)"), ("12 cm", "12"), ("yes", @"\text{Yes}"), (@"\ln x^{1/3}", @"\arcsin|x|"),
            (@"\binom n2", "n(n-1)/2"), (@"\pm i", "i,-i"), (@"30^\circ", "\u03c0/6"),
        })
        {
            CaseJudge.Judge(new VerifierCase("", gold, pred, null, "", CaseMode.Response, new EquivalenceOptions(), null));
        }
    }

    private static VerifierCase Read(string path, int number, string line)
    {
        try
        {
            return VerifierCase.Parse(line);
        }
        catch (FormatException mistake)
        {
            throw new UserErrorException($"{path}:{number} {mistake.Message}");
        }
    }

    private static void Summarize(SortedDictionary<string, Tally> classes, bool json, TextWriter output)
    {
        Tally total = classes.Values.Aggregate(default(Tally), (a, b) => a.Plus(b));
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(new { summary = total, classes }, Json));
            return;
        }

        output.WriteLine();
        output.WriteLine($"{"class",-20} {"accepted of those to accept",28} {"of those to reject",20} {"not stated",12} {"slowest ms",12}");
        foreach ((string name, Tally tally) in classes.Append(new KeyValuePair<string, Tally>("total", total)))
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-20} {$"{tally.Accepted} / {tally.ToAccept}",28} {$"{tally.WronglyAccepted} / {tally.ToReject}",20} {$"{tally.OthersAccepted} / {tally.Others}",12} {tally.SlowestMilliseconds,12:F2}"));
        }

        if (total.OverTime > 0)
        {
            output.WriteLine($"{total.OverTime} took longer than their max_ms");
        }
    }

    /// <summary>Verdicts of one class.</summary>
    /// <param name="Others">Cases that do not state what to expect.</param>
    private readonly record struct Tally(
        int ToAccept, int Accepted, int ToReject, int WronglyAccepted, int Others, int OthersAccepted, int OverTime, double SlowestMilliseconds)
    {
        public Tally With(VerifierCase item, Verdict verdict, double milliseconds)
        {
            int accepted = verdict == Verdict.Correct ? 1 : 0;
            var one = item.Expect switch
            {
                true => new Tally(1, accepted, 0, 0, 0, 0, 0, milliseconds),
                false => new Tally(0, 0, 1, accepted, 0, 0, 0, milliseconds),
                null => new Tally(0, 0, 0, 0, 1, accepted, 0, milliseconds),
            };
            return Plus(milliseconds > item.MaxMilliseconds ? one with { OverTime = 1 } : one);
        }

        public Tally Plus(Tally other) => new(
            ToAccept + other.ToAccept,
            Accepted + other.Accepted,
            ToReject + other.ToReject,
            WronglyAccepted + other.WronglyAccepted,
            Others + other.Others,
            OthersAccepted + other.OthersAccepted,
            OverTime + other.OverTime,
            Math.Max(SlowestMilliseconds, other.SlowestMilliseconds));
    }
}
