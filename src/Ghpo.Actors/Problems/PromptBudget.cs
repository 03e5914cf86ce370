using Ghpo.Configuration;

namespace Ghpo.Problems;

/// <summary>A problem that does not fit ghpo.prompt.max-tokens, with its tokens.</summary>
internal readonly record struct LongProblem(Problem Problem, int Tokens);

/// <summary>Finds the problems that do not fit ghpo.prompt.max-tokens even without a hint, before anything is sampled.</summary>
public static class PromptBudget
{
    /// <summary>The problems that fit. The others are in <see cref="ProblemSet.Skipped"/> where ghpo.prompt.too-long = skip.</summary>
    /// <exception cref="UserErrorException">
    /// A problem does not fit and is to be refused, or no training problem fits; says how many and what would help.
    /// </exception>
    public static ProblemSet Apply(ProblemSet problems, PromptBuilder prompts, PromptSettings settings)
    {
        ArgumentNullException.ThrowIfNull(problems);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(settings);
        LongProblem[] tooLong =
        [
            .. problems.Train.Concat(problems.HeldOut)
                .Select(problem => new LongProblem(problem, prompts.UnhintedTokens(problem)))
                .Where(measured => measured.Tokens > settings.MaxTokens),
        ];
        if (tooLong.Length == 0)
        {
            return problems;
        }

        var left = tooLong.Select(measured => measured.Problem.Id).ToHashSet();
        IReadOnlyList<Problem> train = [.. problems.Train.Where(problem => !left.Contains(problem.Id))];
        if (settings.TooLong == TooLong.Refuse || train.Count == 0)
        {
            throw Exceeded(settings, tooLong);
        }

        return problems with
        {
            Train = train,
            HeldOut = [.. problems.HeldOut.Where(problem => !left.Contains(problem.Id))],
            Skipped =
            [
                .. problems.Skipped,
                .. tooLong.Select(measured => new SkippedRow(
                    problems.Name,
                    0,
                    SkipCause.TooLong,
                    $"{measured.Problem.Id} has {measured.Tokens} prompt tokens, more than ghpo.prompt.max-tokens = {settings.MaxTokens}")),
            ],
        };
    }

    internal static UserErrorException Exceeded(PromptSettings settings, IReadOnlyList<LongProblem> tooLong)
    {
        int longest = tooLong.Max(measured => measured.Tokens);
        string instead = settings.TooLong == TooLong.Refuse
            ? ", or leave such problems out with ghpo.prompt.too-long = skip"
            : "; leaving out those that are too long leaves nothing to train on";
        return new UserErrorException(
            $"Problem {tooLong[0].Problem.Id} has {tooLong[0].Tokens} prompt tokens without a hint, more than ghpo.prompt.max-tokens = {settings.MaxTokens} " +
            $"({tooLong.Count} such problems, the longest has {longest}). Set ghpo.prompt.max-tokens = {longest} or more{instead}.");
    }
}
