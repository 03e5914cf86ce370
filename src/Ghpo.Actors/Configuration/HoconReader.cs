using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Ghpo.Configuration;

/// <summary>
/// Reads the part of HOCON that settings need, strictly, and keeps for each key its line and its comment: nested and dotted sections,
/// <c>=</c> or <c>:</c>, quoted and triple-quoted strings, lists of scalars, <c>#</c> and <c>//</c> comments. What it reads, Akka's own
/// reader reads alike. Akka's is not used for settings because it forgets lines, takes a missing brace or quote in silence, and does not
/// return from an unclosed list. Includes, substitutions and <c>+=</c> are refused by name.
/// </summary>
public sealed class HoconReader
{
    private readonly string _source;
    private readonly string _text;
    private readonly List<HoconEntry> _entries = [];
    private readonly List<string> _comment = [];
    private int _at;
    private int _line = 1;

    private HoconReader(string source, string text)
    {
        _source = source;
        _text = text;
    }

    private bool AtEnd => _at >= _text.Length;

    private char Current => AtEnd ? '\0' : _text[_at];

    /// <summary>All entries in the order of the text, sections included.</summary>
    /// <param name="source">Name of the text in error messages, a file name as the user gave it.</param>
    /// <exception cref="UserErrorException">The text is not well-formed; names source and line.</exception>
    public static IReadOnlyList<HoconEntry> Read(string source, string text)
    {
        var reader = new HoconReader(source, text);
        reader.SkipBlanks();
        if (reader.Current == '{')
        {
            int opened = reader._line;
            reader._at++;
            reader.ReadMembers("", opened);
            reader.SkipBlanks();
            if (!reader.AtEnd)
            {
                throw reader.Error($"unexpected '{reader.Current}' behind the closing brace");
            }
        }
        else
        {
            reader.ReadMembers("", openedAt: 0);
        }

        return reader._entries;
    }

    /// <summary>Reads one value as it may stand behind <c>--set path=</c>: a list, a quoted string, or bare text taken as it is.</summary>
    public static HoconValue ReadValue(string source, string text)
    {
        string trimmed = text.Trim();
        if (trimmed.Length == 0 || (trimmed[0] != '[' && trimmed[0] != '"'))
        {
            return new HoconValue.Scalar(trimmed, Quoted: false);
        }

        var reader = new HoconReader(source, trimmed);
        HoconValue value = reader.Current == '[' ? reader.ReadList() : reader.ReadScalar();
        reader.SkipBlanks();
        return reader.AtEnd ? value : throw new UserErrorException($"{source}: unexpected text behind the value: {trimmed[reader._at..]}");
    }

    private void ReadMembers(string prefix, int openedAt)
    {
        while (true)
        {
            SkipBlanks(separators: true);
            if (AtEnd)
            {
                if (openedAt > 0)
                {
                    throw Error($"the section {(prefix.Length == 0 ? "" : prefix + " ")}opened in line {openedAt} is not closed: a '}}' is missing");
                }

                return;
            }

            if (Current == '}')
            {
                if (openedAt == 0)
                {
                    throw Error("a '}' too many");
                }

                _at++;
                _comment.Clear();
                return;
            }

            ReadMember(prefix);
        }
    }

    private void ReadMember(string prefix)
    {
        string place = Place(_line);
        string comment = string.Join(' ', _comment);
        _comment.Clear();
        string key = ReadPath();
        string path = prefix.Length == 0 ? key : $"{prefix}.{key}";
        SkipSpaces();
        if (Current == '+')
        {
            throw Error($"'{path} +=' is not supported: write the whole list");
        }

        if (Current is '=' or ':')
        {
            _at++;
            SkipBlanks();
            _comment.Clear();
        }
        else if (Current != '{')
        {
            throw Error(key == "include" ? "include is not supported: put the settings into one file" : $"'=' or '{{' expected behind {path}");
        }

        if (Current == '{')
        {
            int opened = _line;
            _at++;
            _entries.Add(new HoconEntry(path, new HoconValue.Section(), place, comment));
            ReadMembers(path, opened);
            return;
        }

        HoconValue value = Current == '[' ? ReadList() : ReadScalar();
        SkipSpaces();
        if (!AtEnd && Current is not ('\n' or ',' or '}' or '#') && !AtLineComment())
        {
            throw Error($"unexpected '{Current}' behind the value of {path}: one setting a line, and quotes around a value with special characters");
        }

        _entries.Add(new HoconEntry(path, value, place, comment));
    }

    private string ReadPath()
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

                path.Append(_text, start, _at - start);
            }

            if (Current != '.')
            {
                return path.ToString();
            }

            path.Append('.');
            _at++;
        }
    }

    private HoconValue.List ReadList()
    {
        int opened = _line;
        _at++;
        var items = ImmutableArray.CreateBuilder<HoconValue.Scalar>();
        while (true)
        {
            SkipBlanks(separators: true);
            if (AtEnd)
            {
                throw Error($"the list opened in line {opened} is not closed: a ']' is missing");
            }

            if (Current == ']')
            {
                _at++;
                _comment.Clear();
                return new HoconValue.List(items.ToImmutable());
            }

            if (Current is '[' or '{')
            {
                throw Error("a list may hold only numbers, words and strings");
            }

            items.Add(ReadScalar());
        }
    }

    private HoconValue.Scalar ReadScalar()
    {
        if (Current == '"')
        {
            return new HoconValue.Scalar(ReadQuoted(), Quoted: true);
        }

        int start = _at;
        while (!AtEnd && Current is not ('\n' or '\r' or ',' or '}' or ']' or '#') && !AtLineComment())
        {
            if (Current == '$' && _at + 1 < _text.Length && _text[_at + 1] == '{')
            {
                throw Error("substitutions (${…}) are not supported: write the value");
            }

            if (Current is '"' or '{' or '[' or '=')
            {
                throw Error($"unexpected '{Current}' in a value: put the whole value in quotes, or each setting on a line of its own");
            }

            _at++;
        }

        string bare = _text[start.._at].Trim();
        return bare.Length > 0 ? new HoconValue.Scalar(bare, Quoted: false) : throw Error("a value is missing; an empty string is \"\"");
    }

    private string ReadQuoted()
    {
        int opened = _line;
        if (_text.AsSpan(_at).StartsWith("\"\"\""))
        {
            int end = _text.IndexOf("\"\"\"", _at + 3, StringComparison.Ordinal);
            if (end < 0)
            {
                throw Error("the string begun with \"\"\" is not closed");
            }

            string raw = _text[(_at + 3)..end];
            _line += raw.Count(c => c == '\n');
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
            case 'u' when _at + 4 < _text.Length
                && ushort.TryParse(_text.AsSpan(_at + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort code):
                _at += 4;
                return (char)code;
            default: throw Error($"unknown escape '\\{Current}'; a backslash itself is written \\\\");
        }
    }

    private bool AtLineComment() => Current == '/' && _at + 1 < _text.Length && _text[_at + 1] == '/' && (_at == 0 || char.IsWhiteSpace(_text[_at - 1]));

    private void SkipSpaces()
    {
        while (Current is ' ' or '\t' or '\r')
        {
            _at++;
        }
    }

    /// <summary>Skips white space and comments, collecting the comment lines that a following key stands directly below.</summary>
    private void SkipBlanks(bool separators = false)
    {
        bool lineHasText = _at > 0 && _text[_at - 1] != '\n';
        while (!AtEnd)
        {
            if (Current == '\n')
            {
                if (!lineHasText)
                {
                    _comment.Clear();
                }

                lineHasText = false;
                _line++;
                _at++;
            }
            else if (Current == '#' || AtLineComment())
            {
                int end = _text.IndexOf('\n', _at);
                string comment = _text[_at..(end < 0 ? _text.Length : end)].TrimStart('#', '/').Trim();
                if (!lineHasText)
                {
                    _comment.Add(comment);
                }

                lineHasText = true;
                _at = end < 0 ? _text.Length : end;
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

    private string Place(int line) => $"{_source}:{line}";

    private UserErrorException Error(string problem) => new($"{Place(_line)}: {problem}");
}
