using Ghpo.Verification.Equivalence;
using Xunit;

namespace Ghpo.Tests.Verification;

public sealed class AnswerPairTests
{
    [Fact]
    public void Answers_that_say_the_same_are_equal_both_ways_round() => Check("equal.tsv", equal: true);

    [Fact]
    public void Answers_that_differ_are_never_equal() => Check("different.tsv", equal: false);

    [Fact]
    public void An_answer_that_is_equal_to_another_is_equal_to_itself()
    {
        string[] wrong = [.. Pairs("equal.tsv").SelectMany(pair => new[] { pair.A, pair.B }).Where(text => AnswerComparer.Compare(text, text) != AnswerMatch.Equal)];
        Assert.Empty(wrong);
    }

    [Fact]
    public void The_dress_of_an_answer_does_not_matter()
    {
        Func<string, string>[] dresses =
        [
            text => $"${text}$", text => $"$${text}$$", text => $@"\({text}\)", text => $@"\boxed{{{text}}}", text => $"  {text} .", text => $"**{text}**",
            text => text.Replace(@"\frac", @"\dfrac", StringComparison.Ordinal), text => text.Replace("+", " + ", StringComparison.Ordinal),
        ];
        var wrong = new List<string>();
        foreach ((string a, string b) in Pairs("equal.tsv").Where(pair => !pair.B.Contains('$') && !pair.B.Contains('*') && !pair.B.Contains("box", StringComparison.Ordinal)))
        {
            wrong.AddRange(dresses.Select(dress => dress(b)).Where(dressed => AnswerComparer.Compare(a, dressed) != AnswerMatch.Equal).Select(dressed => $"{a} | {dressed}"));
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static void Check(string file, bool equal)
    {
        var wrong = new List<string>();
        foreach ((string a, string b) in Pairs(file))
        {
            foreach ((string gold, string found) in new[] { (a, b), (b, a) })
            {
                Comparison comparison = AnswerComparer.Explain(gold, found, new EquivalenceOptions());
                if (comparison.Match == AnswerMatch.Equal != equal)
                {
                    wrong.Add($"{gold} | {found}: {comparison}");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static IEnumerable<(string A, string B)> Pairs(string file) =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Verification", file))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split('\t'))
            .Select(parts => (parts[0], parts[1]));
}
