using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Ghpo.Configuration;

namespace Ghpo.Models;

/// <summary>
/// Cuts text into words by the pattern of a tokenizer.json. What the pattern matches is a word, and so is what lies between two matches.
/// The pattern is meant for code points, while .NET's expressions see UTF-16 units, to which a letter beyond U+FFFF is two surrogates and no letter.
/// So a text that holds such code points is matched through a shadow of it: each of them is replaced by one character of the same general category,
/// which is all that a pattern of categories and ASCII can ask.
/// </summary>
internal sealed class WordSplitter
{
    /// <summary>GPT-2's word pattern, which a ByteLevel pre-tokenizer uses by itself.</summary>
    private const string Gpt2Words = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    private static readonly SearchValues<char> LongS = SearchValues.Create("\u017F");

    private readonly Regex _pattern;
    private readonly bool _foldsCase;

    /// <param name="pattern">Null for GPT-2's.</param>
    /// <param name="file">For the message.</param>
    /// <exception cref="UserErrorException">The pattern is none that .NET can match.</exception>
    internal WordSplitter(string? pattern, string file)
    {
        try
        {
            _pattern = new Regex(pattern ?? Gpt2Words, RegexOptions.CultureInvariant | RegexOptions.Compiled);
        }
        catch (ArgumentException error)
        {
            throw new UserErrorException($"{file}: the pre-tokenizer's pattern cannot be used: {error.Message}");
        }

        // Unicode folds ſ to s, .NET does not.
        _foldsCase = pattern?.Contains("(?i", StringComparison.Ordinal) ?? false;
    }

    /// <param name="text">Without half surrogate pairs.</param>
    internal IEnumerable<string> Split(string text)
    {
        bool folded = _foldsCase && text.AsSpan().ContainsAny(LongS);
        if (!folded && !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return Cut(text, text, position => position);
        }

        var shadow = new StringBuilder(text.Length);
        var places = new List<int>(text.Length + 1);
        int place = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            places.Add(place);
            place += rune.Utf16SequenceLength;
            shadow.Append(!rune.IsBmp ? StandIn(Rune.GetUnicodeCategory(rune)) : folded && rune.Value == 0x17F ? 's' : (char)rune.Value);
        }

        places.Add(place);
        return Cut(shadow.ToString(), text, position => places[position]);
    }

    private IEnumerable<string> Cut(string matched, string text, Func<int, int> place)
    {
        int end = 0;
        for (Match match = _pattern.Match(matched); match.Success; match = match.NextMatch())
        {
            if (match.Length == 0)
            {
                continue;
            }

            if (match.Index > end)
            {
                yield return text[place(end)..place(match.Index)];
            }

            end = match.Index + match.Length;
            yield return text[place(match.Index)..place(end)];
        }

        if (end < matched.Length)
        {
            yield return text[place(end)..];
        }
    }

    private static char StandIn(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => '\u0100',
        UnicodeCategory.LowercaseLetter => '\u0101',
        UnicodeCategory.TitlecaseLetter => '\u01C5',
        UnicodeCategory.ModifierLetter => '\u02B0',
        UnicodeCategory.OtherLetter => '\u4E00',
        UnicodeCategory.NonSpacingMark => '\u0300',
        UnicodeCategory.SpacingCombiningMark => '\u0903',
        UnicodeCategory.EnclosingMark => '\u0488',
        UnicodeCategory.DecimalDigitNumber => '\u0660',
        UnicodeCategory.LetterNumber => '\u2160',
        UnicodeCategory.OtherNumber => '\u00B2',
        UnicodeCategory.ConnectorPunctuation => '\u203F',
        UnicodeCategory.DashPunctuation => '\u2010',
        UnicodeCategory.OpenPunctuation => '\u2045',
        UnicodeCategory.ClosePunctuation => '\u2046',
        UnicodeCategory.InitialQuotePunctuation => '\u00AB',
        UnicodeCategory.FinalQuotePunctuation => '\u00BB',
        UnicodeCategory.OtherPunctuation => '\u2020',
        UnicodeCategory.MathSymbol => '\u2200',
        UnicodeCategory.CurrencySymbol => '\u20AC',
        UnicodeCategory.ModifierSymbol => '\u02C2',
        UnicodeCategory.OtherSymbol => '\u2600',
        UnicodeCategory.Format => '\u200E',
        UnicodeCategory.PrivateUse => '\uE000',
        UnicodeCategory.OtherNotAssigned => '\u0378',
        _ => throw new ArgumentOutOfRangeException(nameof(category), category, "No code point beyond U+FFFF has this category."),
    };
}
