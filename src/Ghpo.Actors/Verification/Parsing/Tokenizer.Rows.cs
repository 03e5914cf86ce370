namespace Ghpo.Verification.Parsing;

/// <summary>Rows of matrices and of environments whose &amp; only lines things up.</summary>
internal ref partial struct Tokenizer
{
    /// <summary>\\ and the distance behind it, as in \\[2pt]. A bracket that holds no distance belongs to the next row.</summary>
    private bool RowEnd()
    {
        if (_aligned > 0 && ContinuesRelation(_at + 2))
        {
            // x &= 10 + 2 \\ &= 12 is one chain.
            return Space(2);
        }

        Emit(TokenKind.Command, @"\", 2);
        int close = At(_at) == '[' ? _text.IndexOf(']', _at, Math.Min(16, _text.Length - _at)) : -1;
        if (close > 0 && _rows && _text.AsSpan(_at, close - _at).Length > 2 && _text[(close - 2)..close] is "pt" or "ex" or "em" or "mm" or "cm" or "in")
        {
            _at = close + 1;
        }

        return true;
    }

    /// <summary>A row that begins with a relation sign goes on with what stands before it.</summary>
    private readonly bool ContinuesRelation(int at)
    {
        ReadOnlySpan<char> rest = at < _text.Length ? _text.AsSpan(at).TrimStart(" \t\n\r&") : [];
        foreach (string sign in (ReadOnlySpan<string>)["=", "<", ">", @"\le", @"\ge", @"\lt", @"\gt", @"\approx", @"\equiv"])
        {
            if (rest.StartsWith(sign) && !rest.StartsWith(@"\left"))
            {
                return true;
            }
        }

        return false;
    }
}
