using System.Collections.Immutable;

namespace Ghpo.Configuration;

/// <summary>
/// Reads the part of HOCON that settings need, strictly, and keeps for each key its line and its comment: nested and dotted sections,
/// <c>=</c> or <c>:</c>, quoted and triple-quoted strings, lists of scalars, <c>#</c> and <c>//</c> comments. What it reads, Akka's own
/// reader reads alike. Akka's is not used for settings because it forgets lines, takes a missing brace or quote in silence, and does not
/// return from an unclosed list. Includes, substitutions and <c>+=</c> are refused by name.
/// </summary>
public sealed class HoconReader
{
    private readonly HoconScanner _scanner;
    private readonly List<HoconEntry> _entries = [];

    private HoconReader(HoconScanner scanner) => _scanner = scanner;

    /// <summary>All entries in the order of the text, sections included.</summary>
    /// <param name="source">Name of the text in error messages, a file name as the user gave it.</param>
    /// <exception cref="UserErrorException">The text is not well-formed; names source and line.</exception>
    public static IReadOnlyList<HoconEntry> Read(string source, string text)
    {
        var reader = new HoconReader(new HoconScanner(source, text));
        reader.ReadText();
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

        var reader = new HoconReader(new HoconScanner(source, trimmed, oneLine: true));
        HoconValue value = reader.ReadValue();
        reader._scanner.SkipBlanks();
        return reader._scanner.AtEnd ? value : throw reader._scanner.Error($"unexpected '{reader._scanner.Current}' behind the value");
    }

    private void ReadText()
    {
        _scanner.SkipBlanks();
        if (_scanner.Current != '{')
        {
            ReadMembers("", openedAt: 0);
            return;
        }

        int opened = _scanner.Line;
        _scanner.Advance();
        ReadMembers("", opened);
        _scanner.SkipBlanks();
        if (!_scanner.AtEnd)
        {
            throw _scanner.Error($"unexpected '{_scanner.Current}' behind the closing brace");
        }
    }

    private void ReadMembers(string prefix, int openedAt)
    {
        while (true)
        {
            _scanner.SkipBlanks(separators: true);
            if (_scanner.AtEnd)
            {
                if (openedAt > 0)
                {
                    string section = prefix.Length == 0 ? "section" : $"section {prefix}";
                    throw _scanner.Error($"the {section} opened in line {openedAt} is not closed: a '}}' is missing");
                }

                return;
            }

            if (_scanner.Current == '}')
            {
                if (openedAt == 0)
                {
                    throw _scanner.Error("a '}' too many");
                }

                _scanner.Advance();
                _scanner.TakeComment();
                return;
            }

            ReadMember(prefix);
        }
    }

    private void ReadMember(string prefix)
    {
        string place = _scanner.Place;
        string comment = _scanner.TakeComment();
        string key = _scanner.ReadPath();
        string path = prefix.Length == 0 ? key : $"{prefix}.{key}";
        _scanner.SkipSpaces();
        if (_scanner.Current == '+')
        {
            throw _scanner.Error($"'{path} +=' is not supported: write the whole list");
        }

        if (_scanner.Current is '=' or ':')
        {
            _scanner.Advance();
            _scanner.SkipBlanks();
            _scanner.TakeComment();
        }
        else if (_scanner.Current != '{')
        {
            throw _scanner.Error(key == "include"
                ? "include is not supported: put the settings into one file"
                : $"'=' or '{{' expected behind {path}");
        }

        if (_scanner.Current == '{')
        {
            int opened = _scanner.Line;
            _scanner.Advance();
            _entries.Add(new HoconEntry(path, new HoconValue.Section(), place, comment));
            ReadMembers(path, opened);
            return;
        }

        HoconValue value = ReadValue();
        _scanner.SkipSpaces();
        if (!_scanner.AtEnd && _scanner.Current is not ('\n' or ',' or '}' or '#') && !_scanner.AtLineComment())
        {
            throw _scanner.Error(
                $"unexpected '{_scanner.Current}' behind the value of {path}: one setting a line, and quotes around a value with special characters");
        }

        _entries.Add(new HoconEntry(path, value, place, comment));
    }

    private HoconValue ReadValue() => _scanner.Current == '[' ? ReadList() : _scanner.ReadScalar();

    private HoconValue.List ReadList()
    {
        int opened = _scanner.Line;
        _scanner.Advance();
        var items = ImmutableArray.CreateBuilder<HoconValue.Scalar>();
        while (true)
        {
            _scanner.SkipBlanks(separators: true);
            if (_scanner.AtEnd)
            {
                throw _scanner.Error($"the list opened in line {opened} is not closed: a ']' is missing");
            }

            if (_scanner.Current == ']')
            {
                _scanner.Advance();
                _scanner.TakeComment();
                return new HoconValue.List(items.ToImmutable());
            }

            if (_scanner.Current is '[' or '{')
            {
                throw _scanner.Error("a list may hold only numbers, words and strings");
            }

            items.Add(_scanner.ReadScalar());
        }
    }
}
