using Ghpo.Problems;
using Ghpo.Verification;
using Ghpo.Verification.Equivalence;

namespace Ghpo.Node.Evaluating;

/// <summary>One answer to a problem.</summary>
/// <param name="Answer">What was found in the completion; null: nothing.</param>
internal readonly record struct JudgedAnswer(string? Answer, Verdict Verdict, int Tokens);

/// <summary>A problem's k answers, judged.</summary>
internal sealed record ProblemScore(Problem Problem, IReadOnlyList<JudgedAnswer> Answers)
{
    /// <summary>False where the verifier could not judge: such a problem says nothing about the model.</summary>
    public bool Counts => Answers.All(answer => answer.Verdict.Counts());

    public int Correct => Answers.Count(answer => answer.Verdict == Verdict.Correct);

    /// <summary>avg@k: the share of correct answers.</summary>
    public double Average => (double)Correct / Answers.Count;

    /// <summary>
    /// pass@j, the probability that at least one of j answers drawn from the k without replacement is correct:
    /// 1 − C(k − c, j) / C(k, j) with c correct ones, as a product. Source: Chen et al. 2021, equation 1.
    /// </summary>
    public double Pass(int j)
    {
        int k = Answers.Count;
        ArgumentOutOfRangeException.ThrowIfLessThan(j, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(j, k);
        double none = 1;
        for (int i = 0; i < j; i++)
        {
            none *= Math.Max(0, (double)(k - Correct - i)) / (k - i);
        }

        return 1 - none;
    }

    /// <summary>
    /// maj@k: whether the answer that most of the k agree on is correct. Answers agree if the verifier calls them equal; completions without an answer
    /// do not vote. Where several answers lead, the share of them that is correct.
    /// </summary>
    public double Majority()
    {
        var groups = new List<(string Answer, bool Correct, int Votes)>();
        foreach (JudgedAnswer vote in Answers.Where(vote => vote.Answer is not null))
        {
            bool correct = vote.Verdict == Verdict.Correct;
            int group = groups.FindIndex(group => group.Correct == correct && (correct || AnswerComparer.Compare(group.Answer, vote.Answer!) == AnswerMatch.Equal || group.Answer == vote.Answer));
            if (group < 0)
            {
                groups.Add((vote.Answer!, correct, 1));
            }
            else
            {
                groups[group] = groups[group] with { Votes = groups[group].Votes + 1 };
            }
        }

        int most = groups.Select(group => group.Votes).DefaultIfEmpty(0).Max();
        return groups.Where(group => group.Votes == most).Select(group => group.Correct ? 1.0 : 0.0).DefaultIfEmpty(0).Average();
    }
}
