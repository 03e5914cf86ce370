using System.Text;

namespace Ghpo.Verification.Parsing;

/// <summary>Numbers and what parts their thousands.</summary>
internal ref partial struct Tokenizer
{
    private bool Number()
    {
        var digits = new StringBuilder();
        int i = Digits(_at, digits);
        int groupStart = i;
        while (digits.Length <= 3 || i > groupStart)
        {
            int separator = SeparatorLength(i);
            if (separator == 0 || digits.Length == 0 || digits[0] == '0' || digits.Length > MaxDigits || !IsGroup(i + separator))
            {
                break;
            }

            i = Digits(i + separator, digits);
        }

        if (At(i) == '.' && At(i + 1) != '.')
        {
            digits.Append('.');
            i = Digits(i + 1, digits);
        }

        if (At(i) is 'e' or 'E' && ExponentLength(i) is int length and > 0)
        {
            for (int k = 0; k < length; k++)
            {
                digits.Append(At(i + k));
            }

            i += length;
        }

        Add(TokenKind.Number, digits.ToString());
        _at = i;
        return digits.Length <= MaxDigits;
    }

    private readonly int Digits(int i, StringBuilder digits)
    {
        while (i < _text.Length && char.IsAsciiDigit(At(i)))
        {
            digits.Append(At(i));
            i++;
        }

        return i;
    }

    private readonly int ExponentLength(int i)
    {
        int k = i + 1;
        if (At(k) is '+' or '-')
        {
            k++;
        }

        int start = k;
        while (char.IsAsciiDigit(At(k)))
        {
            k++;
        }

        return k == start || char.IsAsciiLetter(At(k)) || At(k) == '.' ? 0 : k - i;
    }

    /// <summary>Length of a thousands separator at the index, 0 if there is none: 1,234 1{,}234 1\!,234 1,\!234 1 234 1\,234.</summary>
    private readonly int SeparatorLength(int i)
    {
        ReadOnlySpan<char> rest = i < _text.Length ? _text.AsSpan(i) : [];
        if (rest.StartsWith("{,}"))
        {
            return rest.StartsWith(@"{,}\!") ? 5 : 3;
        }

        foreach (string marked in (ReadOnlySpan<string>)[@",\! ", @",\!", @"\!,\!", @"\!,", @"\,", @"\ ", @"{\,}", @"\;"])
        {
            if (rest.StartsWith(marked))
            {
                return marked.Length;
            }
        }

        char c = At(i);
        return (c == ',' && _depth == 0) || (c is ' ' && _depth == 0 && SpacedGroups(i)) ? 1 : 0;
    }

    private readonly bool IsGroup(int i) =>
        char.IsAsciiDigit(At(i)) && char.IsAsciiDigit(At(i + 1)) && char.IsAsciiDigit(At(i + 2)) && !char.IsAsciiDigit(At(i + 3));

    /// <summary>A space parts thousands, but in 1 125/1000 it parts a whole number from a fraction.</summary>
    private readonly bool SpacedGroups(int i)
    {
        int end = i;
        while (At(end) == ' ' && IsGroup(end + 1))
        {
            end += 4;
        }

        return end > i && At(end) != '/';
    }
}
