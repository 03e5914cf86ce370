using System.Text.RegularExpressions;

namespace Ghpo.Models;

/// <summary>A token that a tokenizer.json adds to its vocabulary.</summary>
/// <param name="Special">Not part of what a model says: left out of decoded text.</param>
/// <param name="TakesSpaceBefore">White space before it belongs to it (lstrip).</param>
/// <param name="TakesSpaceBehind">White space behind it belongs to it (rstrip).</param>
/// <param name="Normalized">Looked for in normalised text, after those that are not.</param>
internal sealed record AddedToken(string Content, int Id, bool Special, bool TakesSpaceBefore, bool TakesSpaceBehind, bool Normalized);

/// <summary>Finds added tokens in a text; of those that begin at the same place the longest wins.</summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<string, AddedToken> _tokens;
    private readonly Regex? _pattern;

    internal AddedTokens(IEnumerable<AddedToken> tokens)
    {
        _tokens = tokens.ToDictionary(token => token.Content, StringComparer.Ordinal);
        _pattern = _tokens.Count == 0
            ? null
            : new Regex(string.Join('|', _tokens.Keys.OrderByDescending(name => name.Length).Select(Regex.Escape)), RegexOptions.CultureInvariant);
    }

    /// <summary>The text in order: pieces without a token, and tokens.</summary>
    internal IEnumerable<(string Text, AddedToken? Token)> Split(string text)
    {
        int end = 0;
        for (Match? match = _pattern?.Match(text); match is { Success: true }; match = match.NextMatch())
        {
            AddedToken token = _tokens[match.Value];
            int start = match.Index;
            while (token.TakesSpaceBefore && start > end && char.IsWhiteSpace(text[start - 1]))
            {
                start--;
            }

            if (start > end)
            {
                yield return (text[end..start], null);
            }

            yield return ("", token);
            end = match.Index + match.Length;
            while (token.TakesSpaceBehind && end < text.Length && char.IsWhiteSpace(text[end]))
            {
                end++;
            }
        }

        if (end < text.Length)
        {
            yield return (text[end..], null);
        }
    }
}
