using System.Collections.Concurrent;
using Ghpo.Configuration;
using Ghpo.Verification.Equivalence;

namespace Ghpo.Bench;

/// <summary>
/// Every pair of different texts among a file's answers against each other, to be read by hand: whatever is accepted must say the same, or the same but for a
/// unit. The accepted pairs go to a file, a tab between the two.
/// </summary>
internal static class VerifierPairsBench
{
    public static int Run(string[] args)
    {
        var options = new Arguments("verifier-pairs", args, "--data", "--out");
        if (options.Text("--data") is not string data || options.Text("--out") is not string output)
        {
            throw new UserErrorException("verifier-pairs --data FILE.jsonl --out FILE.tsv: a file of problems with a field \"answer\", and where the accepted pairs go.");
        }

        string[] answers = [.. VerifierBench.Answers(data).Distinct()];
        var accepted = new ConcurrentBag<string>();
        Parallel.For(0, answers.Length, i =>
        {
            for (int j = i + 1; j < answers.Length; j++)
            {
                if (AnswerComparer.Compare(answers[i], answers[j]) == AnswerMatch.Equal)
                {
                    accepted.Add($"{answers[i]}\t{answers[j]}".ReplaceLineEndings(" "));
                }
            }
        });
        File.WriteAllLines(output, accepted.Order(StringComparer.Ordinal));
        Console.WriteLine(FormattableString.Invariant($"{answers.Length} different answers, {answers.Length * (answers.Length - 1L) / 2} pairs, {accepted.Count} accepted"));
        return 0;
    }
}
