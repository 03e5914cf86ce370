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

        template.RequireTokens(tokenizer);

        // A system message without a place is found here, not at the first group.
        Render("", "");
    }

    /// <summary>The prompt of a group.</summary>
    /// <exception cref="UserErrorException">The problem alone does not fit; <see cref="PromptBudget"/> finds these at the start.</exception>
    public PromptedGroup Build(GroupAttempt attempt, Problem problem)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        ArgumentNullException.ThrowIfNull(problem);
        IReadOnlyList<int> unhinted = Render(problem.Text, "");
        if (unhinted.Count > _prompt.MaxTokens)
        {
            throw PromptBudget.Exceeded(_prompt, [new LongProblem(problem, unhinted.Count)]);
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

    /// <summary>Tokens of a problem's prompt without a hint.</summary>
    public int UnhintedTokens(Problem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        return Render(problem.Text, "").Count;
    }

    private IReadOnlyList<int> Render(string problem, string hint) =>
        _template.Render(_tokenizer, _prompt.System, problem, _introduction, hint);
}
