using System.Diagnostics;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Verification;
using Ghpo.Verification.Equivalence;
using Ghpo.Verification.Extraction;

namespace Ghpo.Bench;

/// <summary>
/// Mutated and made-up answers against the verifier, for as long as asked. Reports what throws, what takes long, and what breaks a law: an answer that
/// equals another equals it the other way round, and itself. What it finds belongs into the tests' fuzz.tsv.
/// </summary>
internal static class VerifierFuzz
{
    private const double SlowMilliseconds = 250;

    private static readonly string[] Pieces =
    [
        "0", "1", "2", "9", "12", "1,234", ".5", "0.333", "1e3", "x", "y", "n", "e", "i", "f(", "f(x)", "\\pi", "π", "\\frac", "\\frac12", "\\frac{", "}{", "{", "}", "(", ")", "[", "]", "\\{", "\\}",
        "|", "+", "-", "*", "/", "^", "^{", "_", "_{", "!", "%", "\\%", "=", "<", "\\le", ">", "\\ne", ",", ";", ":", "\\sqrt", "\\sqrt[3]", "√", "\\sin", "\\cos^2", "\\tan", "\\arctan", "\\ln",
        "\\log_2", "\\cup", "\\cap", "\\setminus", "\\in", "\\mathbb{R}", "\\infty", "∞", "\\pm", "\\mp", "^\\circ", "°", "\\text{", "\\text{ and }", "\\text{cm}", "\\boxed{", "\\left(", "\\right)",
        "\\begin{pmatrix}", "\\end{pmatrix}", "&", "\\\\", "\\binom", "\\lfloor", "\\rfloor", "\\sum_{k=1}^{n}", "\\int", "$", "\\$", " ", "\\,", "½", "²", "₁", "−", "×", "or", "and", "cm", "yes", "(A)",
        "diag(", "\\operatorname{diag}(", "Matrix([[", "Mod(", "[2,5[", "]2;5]", " m^2", "75 cents", "\\$0.75", "<b>", "</b>", "<ANSWER>", "</Answer>", "^{\\prime}", "frac{", "\\text{ percent of them}", "3:30", "4:30 p.m.",
        "x_1 = 1, x_2 = 2", "^T", "five", "x<1 and x>2", "\\frac{\\text{miles}}{\\text{hour}}", "10 edges", "(because", "The answer to part (b) is ", "Answer: there are ", "\ud83c\udf89", "\\Pr", "\\varphi", "5 lb",
        "\\overline{3}", "\\ldots", "'", "\\cdot", "\\times", "\\bmod", "\\gcd", "\u200b", "٣", "\ud835\udc65", "\ud83d", "\0", "\\", "<think>", "</think>", "answer is", "\n",
    ];

    public static int Run(string[] args)
    {
        var options = new Arguments("fuzz", args, "--seconds", "--seed", "--corpus");
        string corpus = options.Text("--corpus") ?? throw new UserErrorException("fuzz --corpus FILE.tsv: pairs of answers to begin with, a tab between them.");
        string[] seeds = [.. File.ReadLines(corpus).Where(line => line.Length > 0 && line[0] != '#').SelectMany(line => line.Split('\t'))];
        var random = new Random(options.Number("--seed", 1));
        var clock = Stopwatch.StartNew();
        var limit = TimeSpan.FromSeconds(options.Number("--seconds", 60));
        int tried = 0;
        int found = 0;
        while (clock.Elapsed < limit)
        {
            string a = random.Next(4) == 0 ? MadeUp(random) : Mutated(seeds[random.Next(seeds.Length)], random);
            string b = random.Next(3) == 0 ? seeds[random.Next(seeds.Length)] : Mutated(a, random);
            tried++;
            if (Problem(a, b) is string problem)
            {
                found++;
                Console.WriteLine($"{problem}\t{Escaped(a)}\t{Escaped(b)}");
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{tried} pairs in {clock.Elapsed.TotalSeconds:F0} s, {found} of them wrong"));
        return found == 0 ? 0 : 1;
    }

    private static string? Problem(string a, string b)
    {
        try
        {
            long started = Stopwatch.GetTimestamp();
            AnswerMatch forth = AnswerComparer.Compare(a, b);
            double milliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            AnswerMatch back = AnswerComparer.Compare(b, a);
            AnswerExtractor.Find(a, AnswerMarker.Lenient);
            for (int again = 0; again < 3 && milliseconds > SlowMilliseconds; again++)
            {
                // What else runs on the machine plays no part in the best of several.
                started = Stopwatch.GetTimestamp();
                AnswerComparer.Compare(a, b);
                milliseconds = Math.Min(milliseconds, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            if (milliseconds > SlowMilliseconds)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{milliseconds:F0} ms");
            }

            return (forth == AnswerMatch.Equal) != (back == AnswerMatch.Equal) ? "not symmetric"
                : forth == AnswerMatch.Equal && AnswerComparer.Compare(a, a) != AnswerMatch.Equal ? "not reflexive"
                : null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return $"{error.GetType().Name} {error.StackTrace?.Split('\n')[0].Trim()}";
        }
    }

    private static string MadeUp(Random random) => string.Concat(Enumerable.Range(0, random.Next(1, 14)).Select(_ => Pieces[random.Next(Pieces.Length)]));

    private static string Mutated(string text, Random random)
    {
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int at = random.Next(text.Length + 1);
            int length = Math.Min(random.Next(1, 5), text.Length - at);
            text = random.Next(5) switch
            {
                0 => text.Remove(at, length),
                1 => text.Insert(at, text.Substring(at, length)),
                2 => text[..at] + Pieces[random.Next(Pieces.Length)] + text[(at + length)..],
                3 => text.Insert(random.Next(text.Length + 1), text[..at]),
                _ => text.Insert(at, Pieces[random.Next(Pieces.Length)]),
            };
        }

        return text.Length > 4_000 ? text[..4_000] : text;
    }

    private static string Escaped(string text) => text.Replace("\n", "\\n", StringComparison.Ordinal).Replace("\t", " ", StringComparison.Ordinal).Replace("\0", "\\0", StringComparison.Ordinal);
}
