using System.Diagnostics;
using System.Globalization;
using Ghpo.Verification;
using Ghpo.Verification.Equivalence;
using Ghpo.Verification.Extraction;

namespace Ghpo.Bench;

/// <summary>
/// The longest that hostile text holds the verifier up: each text is looked for an answer, and compared with a small reference and with itself. Each of these
/// once before it counts, then the best of several; the goal is 50 ms.
/// </summary>
internal static class VerifierWorstBench
{
    private const double GoalMilliseconds = 50;

    private static readonly (string Name, Func<string> Text)[] Texts =
    [
        ("9^{9^{9^9}}", () => "9^{9^{9^9}}"),
        ("60 powers in each other", () => Repeat("9^{", 60) + "9" + Repeat("}", 60)),
        ("10^6 round brackets", () => Repeat("(", 1_000_000)),
        ("10^6 round brackets, closed", () => Repeat("(", 500_000) + "1" + Repeat(")", 500_000)),
        ("10^6 braces", () => Repeat("{", 1_000_000)),
        ("10^6 boxes that do not close", () => Repeat(@"\boxed{", 1_000_000)),
        ("500,000 boxes", () => Repeat(@"\boxed{1}", 500_000)),
        ("10 MB of digits", () => Repeat("9", 10_000_000)),
        ("10 MB of digits in a box", () => @"\boxed{" + Repeat("9", 10_000_000) + "}"),
        ("10 MB of words", () => Repeat("hello world ", 850_000)),
        ("10 MB of spaces", () => Repeat(" ", 10_000_000)),
        ("10 MB of <", () => Repeat("<", 10_000_000)),
        ("10 MB of dollar signs", () => Repeat("$", 10_000_000)),
        ("10 MB of backslashes", () => Repeat(@"\", 10_000_000)),
        ("1,100,000 times \"answer is \"", () => Repeat("answer is ", 1_100_000)),
        ("1,100,000 times \"answer to \"", () => Repeat("answer to ", 1_100_000)),
        ("2,000,000 times \"#### \"", () => Repeat("#### ", 2_000_000)),
        ("600,000 answer tags", () => Repeat("<answer>1</answer>", 600_000)),
        ("1,200,000 opening answer tags", () => Repeat("<answer>", 1_200_000)),
        ("9,999 digits", () => Repeat("9", 9_999)),
        ("(a+b+c+d+e)^{40}", () => "(a+b+c+d+e)^{40}"),
        ("3,000 factors (x+1)", () => Repeat("(x+1)", 3_000)),
        ("41 square roots", () => Repeat(@"\sqrt{2}+\sqrt{3}+\sqrt{5}+\sqrt{7}+", 10) + @"\sqrt{11}"),
        ("a 2 by 2 matrix to the 64th", () => @"\begin{pmatrix}x&y\\z&w\end{pmatrix}^{64}"),
        (@"\sin(9^{9^9})", () => @"\sin(9^{9^9})"),
        ("80 sines in each other", () => Repeat(@"\sin(", 80) + "x" + Repeat(")", 80)),
        ("50 logarithms in each other", () => Repeat(@"\ln(", 50) + "2" + Repeat(")", 50)),
        ("(((100!)!)!)!", () => "(((100!)!)!)!"),
        ("the 64 values of six plus-minus", () => @"\pm 1" + Repeat(@"\pm \sqrt{2}", 5)),
    ];

    public static int Run(string[] args)
    {
        int rounds = new Arguments("verifier-worst", args, "--rounds").Number("--rounds", 5);
        double worst = 0;
        Console.WriteLine(FormattableString.Invariant($"text: extraction, against 7, against itself, in ms, best of {rounds}"));
        foreach ((string name, Func<string> make) in Texts)
        {
            string text = make();
            double extraction = Best(rounds, () => AnswerExtractor.Find(text, AnswerMarker.Any));
            double other = Best(rounds, () => AnswerComparer.Compare("7", text));
            double self = Best(rounds, () => AnswerComparer.Compare(text, text));
            worst = Math.Max(worst, Math.Max(extraction, Math.Max(other, self)));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {extraction:F2}, {other:F2}, {self:F2}"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"worst {worst:F2} ms, goal {GoalMilliseconds:F0} ms"));
        return worst <= GoalMilliseconds ? 0 : 1;
    }

    private static double Best(int rounds, Action work)
    {
        work();
        double best = double.MaxValue;
        for (int i = 0; i < rounds; i++)
        {
            long started = Stopwatch.GetTimestamp();
            work();
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return best;
    }

    private static string Repeat(string piece, int count) => string.Concat(Enumerable.Repeat(piece, count));
}
