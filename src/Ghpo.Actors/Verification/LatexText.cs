using System.Globalization;
using System.Text;

namespace Ghpo.Verification;

/// <summary>
/// Brings answers that LaTeX would print alike to the same text: delimiters, spacing, <c>\left \right</c>, <c>\dfrac</c>, <c>\frac12</c>,
/// <c>x^2</c> for <c>x^{2}</c>. One pass, O(n). Spaces that part two numbers are kept: <c>2 1/3</c> is not <c>21/3</c>.
/// </summary>
internal static class LatexText
{
    private static readonly (string Open, string Close)[] Delimiters = [("$$", "$$"), ("$", "$"), (@"\(", @"\)"), (@"\[", @"\]")];

    /// <summary>The normalised text. Spaces stay between two digits, and between a digit and the comma or point next to it.</summary>
    public static string Normalize(string text)
    {
        var writer = new Writer();
        ReadOnlySpan<char> rest = Strip(text);
        while (rest.Length > 0)
        {
            char c = rest[0];
            if (c == '\\')
            {
                rest = rest[writer.Command(rest)..];
            }
            else if (rest.StartsWith("{,}"))
            {
                writer.Symbol(',');
                rest = rest[3..];
            }
            else
            {
                writer.Character(c);
                rest = rest[1..];
            }
        }

        return writer.ToString();
    }

    /// <summary>Normalised text without the spaces that only tell a list from a number: "1, 2" as "1,2".</summary>
    public static string Collapse(string normalized) => normalized.Replace(", ", ",", StringComparison.Ordinal).Replace(" ,", ",", StringComparison.Ordinal);

    /// <summary>Takes off white space, math delimiters around the whole, a final full stop, and a leading dollar sign as a currency.</summary>
    private static ReadOnlySpan<char> Strip(ReadOnlySpan<char> text)
    {
        for (int before = -1; before != text.Length;)
        {
            text = text.Trim();
            before = text.Length;
            foreach ((string open, string close) in Delimiters)
            {
                if (text.Length >= open.Length + close.Length && text.StartsWith(open) && text.EndsWith(close) && !text.EndsWith(@"\$"))
                {
                    text = text[open.Length..^close.Length];
                    break;
                }
            }

            text = text.EndsWith(".") && !text.EndsWith("..") ? text[..^1] : text;
            text = text.StartsWith(@"\$") ? text[2..] : text;
        }

        return text.Length > 1 && text[0] == '$' && char.IsAsciiDigit(text[1]) ? text[1..] : text;
    }

    private sealed class Writer
    {
        private readonly StringBuilder _text = new();
        private readonly Stack<int> _outer = new();
        private bool _space;
        private bool _afterCommand;

        /// <summary>Arguments that the last command, or ^ or _, still expects at this depth of braces.</summary>
        private int _expected;

        public override string ToString() => _text.ToString();

        public void Character(char c)
        {
            if (char.IsWhiteSpace(c))
            {
                _space = true;
            }
            else if (char.IsAsciiLetterOrDigit(c))
            {
                Atom(c.ToString());
            }
            else if (char.GetUnicodeCategory(c) != UnicodeCategory.Format)
            {
                Symbol(c == '\u2212' ? '-' : c);
            }
        }

        public void Symbol(char c)
        {
            Append(c.ToString());
            switch (c)
            {
                case '{':
                    _outer.Push(_expected);
                    _expected = 0;
                    break;
                case '}':
                    _expected = _outer.Count > 0 ? Math.Max(0, _outer.Pop() - 1) : 0;
                    break;
                default:
                    _expected = c is '^' or '_' ? 1 : 0;
                    break;
            }
        }

        /// <summary>Writes the command that the text begins with.</summary>
        /// <returns>Its length.</returns>
        public int Command(ReadOnlySpan<char> text)
        {
            int length = 1;
            while (length < text.Length && char.IsAsciiLetter(text[length]))
            {
                length++;
            }

            length = length == 1 ? Math.Min(2, text.Length) : length;
            switch (text[1..length])
            {
                case "left" or "right" or "!":
                    break;
                case "," or ";" or ":" or ">" or " " or "quad" or "qquad":
                    _space = true;
                    break;
                case "%":
                    Symbol('%');
                    break;
                case "frac" or "dfrac" or "tfrac" or "cfrac":
                    AppendCommand(@"\frac");
                    _expected = 2;
                    break;
                case "sqrt":
                    AppendCommand(@"\sqrt");
                    _expected = 1;
                    break;
                case "leq":
                    Atom(@"\le");
                    break;
                case "geq":
                    Atom(@"\ge");
                    break;
                case "neq":
                    Atom(@"\ne");
                    break;
                default:
                    if (text[length..].StartsWith("{"))
                    {
                        // It has arguments of its own, so it cannot stand as one without braces.
                        AppendCommand(text[..length].ToString());
                        _expected = 0;
                    }
                    else
                    {
                        Atom(text[..length].ToString());
                    }

                    break;
            }

            return length;
        }

        private void Atom(string atom)
        {
            bool argument = _expected > 0;
            if (argument)
            {
                _expected--;
                Append("{");
            }

            if (atom[0] == '\\')
            {
                AppendCommand(atom);
            }
            else
            {
                Append(atom);
            }

            if (argument)
            {
                Append("}");
            }
        }

        private void AppendCommand(string command)
        {
            Append(command);
            _afterCommand = char.IsAsciiLetter(command[^1]);
        }

        private void Append(string piece)
        {
            char last = _text.Length > 0 ? _text[^1] : '\0';
            bool partsNumbers = _space && IsNumeric(last) && IsNumeric(piece[0]);
            bool endsCommand = _afterCommand && char.IsAsciiLetter(piece[0]);
            if (partsNumbers || endsCommand)
            {
                _text.Append(' ');
            }

            _text.Append(piece);
            _space = false;
            _afterCommand = false;
        }

        private static bool IsNumeric(char c) => char.IsAsciiDigit(c) || c is ',' or '.';
    }
}
