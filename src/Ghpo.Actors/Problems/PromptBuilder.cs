using Ghpo.Configuration;
using Ghpo.Hints;
using Ghpo.Models;
using Ghpo.Rollout;

namespace Ghpo.Problems;

/// <summary>
/// Builds the prompt of a group at its hint level. A hint that does not fit ghpo.prompt.max-tokens loses its end; the problem is never cut.
/// A function of its arguments, and thread-safe.
/// </summary>
public sealed class PromptBuilder
{
    private readonly PromptTemplate _template;
    private readonly ITokenizer _tokenizer;
    private readonly PromptSettings _prompt;
    private readonly HintSettings _hints;
    private readonly string _introduction;

    /// <exception cref="UserErrorException">The vocabulary has no such special tokens, or the template has no place for a system message.</exception>
    public PromptBuilder(PromptTemplate template, ITokenizer tokenizer, PromptSettings prompt, HintSettings hints)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(hints);
        _template = template;
        _tokenizer = tokenizer;
        _prompt = prompt;
        _hints = hints;
        _introduction = prompt.HintIntroduction == "auto" ? template.HintIntroduction : prompt.HintIntroduction;

        string[] missing = [.. template.SpecialTokens.Where(token => tokenizer.SpecialToken(token) is null)];
        if (missing.Length > 0)
        {
            throw new UserErrorException(
                $"The model's vocabulary has no {string.Join(", ", missing)}, which the {template.Kind} template needs. " +
                "Set ghpo.prompt.template to the template that the model was trained with.");
        }

        // A system message without a place is found here, not at the first group.
        Render("", "");
    }

    /// <summary>The prompt of a group.</summary>
    /// <exception cref="UserErrorException">The problem alone does not fit; see <see cref="FirstTooLong"/>.</exception>
    public PromptedGroup Build(GroupAttempt attempt, Problem problem)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        ArgumentNullException.ThrowIfNull(problem);
        IReadOnlyList<int> unhinted = Render(problem.Text, "");
        if (unhinted.Count > _prompt.MaxTokens)
        {
            throw new UserErrorException(FirstTooLong([problem])!);
        }

        bool hasSolution = !string.IsNullOrWhiteSpace(problem.Solution);
        string hint = hasSolution ? HintCut.Take(problem.Solution!, attempt.HintRatio, _hints.Unit, _tokenizer) : "";
        IReadOnlyList<int> prompt = Render(problem.Text, hint);
        bool shortened = prompt.Count > _prompt.MaxTokens;
        if (shortened)
        {
            prompt = Render(problem.Text, HintCut.LongestPrefix(hint, part => Render(problem.Text, part).Count <= _prompt.MaxTokens));
        }

        int hintTokens = prompt.Count - unhinted.Count;
        return new PromptedGroup(attempt, [.. prompt], hintTokens > 0 ? [.. unhinted] : [], hintTokens, shortened, hasSolution);
    }

    /// <summary>
    /// Null if every problem fits the prompt budget without a hint. Otherwise the error to stop the start with: the first problem that does not,
    /// and what would help.
    /// </summary>
    public string? FirstTooLong(IEnumerable<Problem> problems)
    {
        ArgumentNullException.ThrowIfNull(problems);
        Problem? first = null;
        int firstTokens = 0;
        int longest = 0;
        int count = 0;
        foreach (Problem problem in problems)
        {
            int tokens = Render(problem.Text, "").Count;
            if (tokens <= _prompt.MaxTokens)
            {
                continue;
            }

            if (first is null)
            {
                first = problem;
                firstTokens = tokens;
            }

            count++;
            longest = Math.Max(longest, tokens);
        }

        return first is null
            ? null
            : $"Problem {first.Id} has {firstTokens} prompt tokens without a hint, more than ghpo.prompt.max-tokens = {_prompt.MaxTokens} " +
              $"({count} such problems, the longest has {longest}). Set ghpo.prompt.max-tokens = {longest} or more, or leave them out of the data.";
    }

    private IReadOnlyList<int> Render(string problem, string hint) =>
        _template.Render(_tokenizer, _prompt.System, problem, _introduction, hint);
}
