using System.Globalization;
using System.Text;

namespace Ghpo.Configuration;

/// <summary>The words of a HOCON text, one after the other: paths, scalars, and the blanks and comments between them.</summary>
/// <param name="source">Name of the text in error messages.</param>
/// <param name="oneLine">The text is an option of the command line: lines are not counted in error messages.</param>
internal sealed class HoconScanner(string source, string text, bool oneLine = false)
{
    private readonly List<string> _comment = [];
    private int _at;

    public bool AtEnd => _at >= text.Length;

    /// <summary>The next character; a NUL at the end.</summary>
    public char Current => AtEnd ? '\0' : text[_at];

    /// <summary>The line of the next character, from 1.</summary>
    public int Line { get; private set; } = 1;

    /// <summary><c>source:line</c>, or the source alone where that is one line.</summary>
    public string Place => oneLine ? source : $"{source}:{Line}";

    /// <summary>Takes the next character, which must not be a line break.</summary>
    public void Advance() => _at++;

    /// <summary>The comment lines directly above, joined with spaces; they are forgotten with this.</summary>
    public string TakeComment()
    {
        string comment = string.Join(' ', _comment);
        _comment.Clear();
        return comment;
    }

    public string ReadPath()
    {
        var path = new StringBuilder();
        while (true)
        {
            if (Current == '"')
            {
                path.Append(ReadQuoted());
            }
            else
            {
                int start = _at;
                while (!AtEnd && (char.IsLetterOrDigit(Current) || Current is '-' or '_'))
                {
                    _at++;
                }

                if (_at == start)
                {
                    throw Error(AtEnd ? "a key is missing" : $"a key expected, found '{Current}'");
                }

                path.Append(text, start, _at - start);
            }

            if (Current != '.')
            {
                return path.ToString();
            }

            path.Append('.');
            _at++;
        }
    }

    public HoconValue.Scalar ReadScalar()
    {
        if (Current == '"')
        {
            return new HoconValue.Scalar(ReadQuoted(), Quoted: true);
        }

        int start = _at;
        while (!AtEnd && Current is not ('\n' or '\r' or ',' or '}' or ']' or '#') && !AtLineComment())
        {
            if (Current == '$' && _at + 1 < text.Length && text[_at + 1] == '{')
            {
                throw Error("substitutions (${…}) are not supported: write the value");
            }

            if (Current is '"' or '{' or '[' or '=')
            {
                throw Error($"unexpected '{Current}' in a value: put the whole value in quotes, or each setting on a line of its own");
            }

            _at++;
        }

        string bare = text[start.._at].Trim();
        return bare.Length > 0 ? new HoconValue.Scalar(bare, Quoted: false) : throw Error("a value is missing; an empty string is \"\"");
    }

    private string ReadQuoted()
    {
        int opened = Line;
        if (text.AsSpan(_at).StartsWith("\"\"\""))
        {
            int end = text.IndexOf("\"\"\"", _at + 3, StringComparison.Ordinal);
            if (end < 0)
            {
                throw Error("the string begun with \"\"\" is not closed");
            }

            string raw = text[(_at + 3)..end];
            Line += raw.Count(c => c == '\n');
            _at = end + 3;
            return raw;
        }

        _at++;
        var value = new StringBuilder();
        while (Current != '"')
        {
            if (AtEnd || Current == '\n')
            {
                throw Error($"the string begun in line {opened} is not closed: a '\"' is missing");
            }

            value.Append(Current == '\\' ? ReadEscape() : Current);
            _at++;
        }

        _at++;
        return value.ToString();
    }

    /// <summary>Leaves the position on the escape's last character.</summary>
    private char ReadEscape()
    {
        _at++;
        switch (Current)
        {
            case 'n': return '\n';
            case 't': return '\t';
            case 'r': return '\r';
            case 'b': return '\b';
            case 'f': return '\f';
            case '"' or '\\' or '/': return Current;
            case 'u' when _at + 4 < text.Length
                && ushort.TryParse(text.AsSpan(_at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort code):
                _at += 4;
                return (char)code;
            default: throw Error($"unknown escape '\\{Current}'; a backslash itself is written \\\\");
        }
    }

    public bool AtLineComment() => Current == '/' && _at + 1 < text.Length && text[_at + 1] == '/' && (_at == 0 || char.IsWhiteSpace(text[_at - 1]));

    public void SkipSpaces()
    {
        while (Current is ' ' or '\t' or '\r')
        {
            _at++;
        }
    }

    /// <summary>Skips white space and comments, collecting the comment lines that a following key stands directly below.</summary>
    public void SkipBlanks(bool separators = false)
    {
        bool lineHasText = _at > 0 && text[_at - 1] != '\n';
        while (!AtEnd)
        {
            if (Current == '\n')
            {
                if (!lineHasText)
                {
                    _comment.Clear();
                }

                lineHasText = false;
                Line++;
                _at++;
            }
            else if (Current == '#' || AtLineComment())
            {
                int end = text.IndexOf('\n', _at);
                string comment = text[_at..(end < 0 ? text.Length : end)].TrimStart('#', '/').Trim();
                if (!lineHasText)
                {
                    _comment.Add(comment);
                }

                lineHasText = true;
                _at = end < 0 ? text.Length : end;
            }
            else if (char.IsWhiteSpace(Current) || Current == '\uFEFF' || (separators && Current == ','))
            {
                _at++;
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>An error at the line of the next character.</summary>
    public UserErrorException Error(string problem) => new($"{Place}: {problem}");
}
