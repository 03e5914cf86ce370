using System.Collections.Immutable;
using System.Globalization;
using Ghpo.Inspection;
using Spectre.Console;

namespace Ghpo.Node.Inspecting;

/// <summary>
/// A line being typed, as a state that keys move: no terminal in it. Left, right, home, end, backspace, delete, and readline's Ctrl-A, E, B, F, D, H, K, U, W, P, N;
/// up and down go through the history; tab completes to what all candidates share. The cursor never stands inside a character that takes several units of UTF-16.
/// </summary>
internal sealed class LineEditor(Func<string, IReadOnlyList<string>> complete)
{
    // Keys of no keyboard at hand.
    private const ConsoleKey ToEnd = ConsoleKey.EraseEndOfFile;
    private const ConsoleKey ToBeginning = ConsoleKey.OemClear;
    private const ConsoleKey WordBefore = ConsoleKey.Clear;

    private readonly List<string> _history = [];
    private int _shown;

    public string Text { get; private set; } = "";

    public int Cursor { get; private set; }

    /// <summary>What the last tab could not decide between.</summary>
    public IReadOnlyList<string> Candidates { get; private set; } = [];

    /// <returns>The line, once it is entered; null before.</returns>
    public string? Press(ConsoleKeyInfo key)
    {
        Candidates = [];
        switch (Meant(key))
        {
            case ConsoleKey.Enter:
                string line = Text;
                if (line.Trim().Length > 0 && (_history.Count == 0 || _history[^1] != line))
                {
                    _history.Add(line);
                }

                _shown = _history.Count;
                Show("");
                return line;
            case ConsoleKey.LeftArrow:
                Cursor = Before(Cursor);
                break;
            case ConsoleKey.RightArrow:
                Cursor = After(Cursor);
                break;
            case ConsoleKey.Home:
                Cursor = 0;
                break;
            case ConsoleKey.End:
                Cursor = Text.Length;
                break;
            case ConsoleKey.Backspace when Cursor > 0:
                Cut(Before(Cursor), Cursor);
                break;
            case ConsoleKey.Delete when Cursor < Text.Length:
                Cut(Cursor, After(Cursor));
                break;
            case ToEnd:
                Cut(Cursor, Text.Length);
                break;
            case ToBeginning:
                Cut(0, Cursor);
                break;
            case WordBefore:
                Cut(Text[..Cursor].TrimEnd(' ').LastIndexOf(' ') + 1, Cursor);
                break;
            case ConsoleKey.UpArrow when _shown > 0:
                Show(_history[--_shown]);
                break;
            case ConsoleKey.DownArrow when _shown < _history.Count:
                _shown++;
                Show(_shown < _history.Count ? _history[_shown] : "");
                break;
            case ConsoleKey.Tab:
                Complete();
                break;
            default:
                if (!char.IsControl(key.KeyChar))
                {
                    Text = Text.Insert(Cursor++, key.KeyChar.ToString());
                }

                break;
        }

        return null;
    }

    /// <summary>What the last word of a line may become, by the palettes of a host.</summary>
    public static IReadOnlyList<string> Complete(ImmutableArray<InspectionPalette> palettes, string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        bool begun = line.Length > 0 && !line.EndsWith(' ');
        string last = begun ? words[^1] : "";
        int place = begun ? words.Length - 1 : words.Length;
        InspectionPalette? palette = place > 0 ? palettes.FirstOrDefault(known => known.Name == words[0]) : null;
        IEnumerable<string> known = place switch
        {
            0 => [.. palettes.Select(one => one.Name), "help", "exit"],
            1 when words[0] == "help" => palettes.Select(one => one.Name),
            1 => palette?.Commands.Select(command => command.Name) ?? [],
            _ => palette?.Commands.FirstOrDefault(command => command.Name == words[1]) is { } command ? OfArguments(command, words[2..place]) : [],
        };
        return [.. known.Where(name => name.Length > 0 && name.StartsWith(last, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    /// <param name="given">The words that are there already.</param>
    private static IEnumerable<string> OfArguments(InspectionCommand command, string[] given)
    {
        if (given.Length > 0 && command.Arguments.FirstOrDefault(argument => argument.Kind != ArgumentKind.Flag && argument.Switches.Contains(given[^1])) is { } valued)
        {
            return valued.Values ?? [];
        }

        InspectionArgument? next = command.Arguments.Where(argument => argument.Positional).Skip(given.Count(word => !word.StartsWith('-'))).FirstOrDefault();
        return [.. next?.Values ?? [], .. command.Arguments.SelectMany(argument => argument.Switches)];
    }

    /// <summary>Drops what is being typed.</summary>
    public void Drop()
    {
        Candidates = [];
        _shown = _history.Count;
        Show("");
    }

    /// <summary>The part of the line that is shown where there is room for so many columns, and the cursor's column in it.</summary>
    public (string Seen, int Cursor) Window(int columns)
    {
        int[] starts = [.. StringInfo.ParseCombiningCharacters(Text), Text.Length];
        int[] widths = [.. starts.Zip(starts.Skip(1), (first, next) => Text[first..next].GetCellWidth())];
        int at = Array.IndexOf(starts, Cursor);
        int from = at;
        for (int used = 0; from > 0 && used + widths[from - 1] <= columns; from--)
        {
            used += widths[from - 1];
        }

        int before = widths[from..at].Sum();
        int to = at;
        for (int used = before; to < widths.Length && used + widths[to] <= columns; to++)
        {
            used += widths[to];
        }

        return (Text[starts[from]..starts[to]], before);
    }

    /// <summary>Readline's control keys as the keys that do the same.</summary>
    private static ConsoleKey Meant(ConsoleKeyInfo key) => key.Modifiers != ConsoleModifiers.Control ? key.Key : key.Key switch
    {
        ConsoleKey.A => ConsoleKey.Home,
        ConsoleKey.E => ConsoleKey.End,
        ConsoleKey.B => ConsoleKey.LeftArrow,
        ConsoleKey.F => ConsoleKey.RightArrow,
        ConsoleKey.D => ConsoleKey.Delete,
        ConsoleKey.H => ConsoleKey.Backspace,
        ConsoleKey.K => ToEnd,
        ConsoleKey.U => ToBeginning,
        ConsoleKey.W => WordBefore,
        ConsoleKey.P => ConsoleKey.UpArrow,
        ConsoleKey.N => ConsoleKey.DownArrow,
        var other => other,
    };

    private int Before(int place) => StringInfo.ParseCombiningCharacters(Text).LastOrDefault(start => start < place);

    private int After(int place) => place >= Text.Length ? Text.Length : place + StringInfo.GetNextTextElementLength(Text, place);

    private void Cut(int from, int to)
    {
        Text = Text.Remove(from, to - from);
        Cursor = from;
    }

    private void Complete()
    {
        string before = Text[..Cursor];
        int start = before.LastIndexOf(' ') + 1;
        IReadOnlyList<string> candidates = complete(before);
        if (candidates.Count == 0)
        {
            return;
        }

        string shared = candidates.Aggregate((left, right) => left[..left.Zip(right).TakeWhile(pair => pair is var (one, other) && one == other).Count()]);
        string word = candidates.Count == 1 ? shared + " " : shared;
        Candidates = candidates.Count > 1 && word.Length <= before.Length - start ? candidates : [];
        if (word.Length >= before.Length - start)
        {
            Text = before[..start] + word + Text[Cursor..];
            Cursor = start + word.Length;
        }
    }

    private void Show(string text)
    {
        Text = text;
        Cursor = text.Length;
    }
}
