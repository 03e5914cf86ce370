namespace Ghpo.Verification.Parsing;

/// <summary>Runs of letters: names, units, words, or letters side by side.</summary>
internal ref partial struct Tokenizer
{
    private bool Letters()
    {
        int end = _at;
        while (end < _text.Length && char.IsAsciiLetter(At(end)))
        {
            end++;
        }

        string run = string.Create(end - _at, (_text, _at), static (span, from) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = UnicodeMathematics.Plain(from._text[from._at + i]);
            }
        });
        if (run is "a" or "p" && At(end) == '.' && At(end + 1) == 'm' && !char.IsAsciiLetter(At(end + 2)) && FollowsValue())
        {
            return Emit(TokenKind.Word, run + "m", At(end + 2) == '.' ? run.Length + 3 : run.Length + 2);
        }

        if ((run is "pm" or "times" && FollowsValue() && _text.AsSpan(end).Trim(" \t\n$") is "" or "." or "}" or ")")
            || (run is "cup" && FollowsValue() && _text.AsSpan(end).TrimStart(" ") is "" or [not ('(' or '[' or '{' or '\\'), ..]))
        {
            return Emit(TokenKind.Word, run, run.Length);
        }

        if (run is "frac" or "dfrac" or "tfrac" && At(end) == '{')
        {
            // A backslash that got lost.
            return Emit(TokenKind.Command, "frac", run.Length);
        }

        if (run == "equals" && !FollowsWord())
        {
            return Emit(TokenKind.Sign, "=", run.Length);
        }

        if (run == "log" && LogarithmBase(end) is int length and > 0)
        {
            Add(TokenKind.Name, run);
            return Emit(TokenKind.Subscript, _text.Substring(end, length), run.Length + length);
        }

        if (Units.CurrencyCode(run) is string currency && PrecedesAmount(end) is int amount and > 0)
        {
            return Emit(TokenKind.Currency, currency, amount - _at);
        }

        bool subscripted = end < _text.Length && At(end) == '_';
        if (run.Length > 1 && Vocabulary.IsName(run))
        {
            Add(run is "and" or "or" or "AND" or "OR" || Vocabulary.FunctionOf(run) is not null || Vocabulary.PlainNameOf(run) is not null ? TokenKind.Name : TokenKind.Word, run);
        }
        else if (run.Length > 1 && UnicodeMathematics.IsGreekName(run))
        {
            Add(TokenKind.Letter, run);
        }
        else if (run.Length > 1 && ((Units.IsUnit(run) && (FollowsValue() || (FollowsWord() && _spaced))) || Vocabulary.IsShortWord(run) || (FollowsWord() && _spaced && HasVowel(run))))
        {
            Add(TokenKind.Word, run);
        }
        else if (run.Length <= 3 || (run.Length == 4 && !HasVowel(run)) || subscripted && run.Length <= 3)
        {
            foreach (char letter in run)
            {
                Add(TokenKind.Letter, letter.ToString());
            }
        }
        else
        {
            SplitRun(run);
        }

        _at = end;
        return true;
    }

    /// <summary>sinx, xcosy: names with single letters around them. Anything else is a word.</summary>
    private void SplitRun(string run)
    {
        var parts = new List<(TokenKind, string)>();
        int letters = 0;
        for (int i = 0; i < run.Length;)
        {
            int length = Math.Min(7, run.Length - i);
            while (length > 1 && !(length > 2 && Vocabulary.FunctionOf(run.Substring(i, length)) is not null) && run.Substring(i, length) != "pi")
            {
                length--;
            }

            letters += length == 1 ? 1 : 0;
            parts.Add((length == 1 ? TokenKind.Letter : TokenKind.Name, run.Substring(i, length)));
            i += length;
        }

        if (letters > 2)
        {
            Add(TokenKind.Word, run);
            return;
        }

        foreach ((TokenKind kind, string text) in parts)
        {
            Add(kind, text);
        }
    }

    private readonly bool FollowsValue() => _tokens.Count > 0 && (_tokens[^1].Kind is TokenKind.Number or TokenKind.VulgarFraction || _tokens[^1].Is('}') || _tokens[^1].Is(')') || _tokens[^1].Is('/'));

    private readonly bool FollowsWord() => _tokens.Count > 0 && _tokens[^1].Kind == TokenKind.Word;

    /// <summary>Length of the base in log2(8) and log10(x); 0 if there is none.</summary>
    private readonly int LogarithmBase(int at)
    {
        int length = At(at) == '2' ? 1 : At(at) == '1' && At(at + 1) == '0' ? 2 : 0;
        return length > 0 && At(at + length) == '(' ? length : 0;
    }

    /// <summary>Where the number behind a currency's code begins: USD 12, Rs. 500. 0 if there is none.</summary>
    private readonly int PrecedesAmount(int at)
    {
        at += At(at) == '.' ? 1 : 0;
        while (At(at) == ' ' && at < _text.Length)
        {
            at++;
        }

        return char.IsAsciiDigit(At(at)) ? at : 0;
    }

    private static bool HasVowel(string run) => run.Any("aeiouyAEIOUY".Contains);
}
