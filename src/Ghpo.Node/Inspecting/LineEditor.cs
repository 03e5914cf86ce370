using System.Collections.Immutable;
using Ghpo.Inspection;

namespace Ghpo.Node.Inspecting;

/// <summary>
/// A line being typed, as a state that keys move: no terminal in it. Left, right, home, end, backspace, delete; up and down go through the history; tab
/// completes to what all candidates share.
/// </summary>
internal sealed class LineEditor(Func<string, IReadOnlyList<string>> complete)
{
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
        switch (key.Key)
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
                Cursor = Math.Max(0, Cursor - 1);
                break;
            case ConsoleKey.RightArrow:
                Cursor = Math.Min(Text.Length, Cursor + 1);
                break;
            case ConsoleKey.Home:
                Cursor = 0;
                break;
            case ConsoleKey.End:
                Cursor = Text.Length;
                break;
            case ConsoleKey.Backspace when Cursor > 0:
                Text = Text.Remove(--Cursor, 1);
                break;
            case ConsoleKey.Delete when Cursor < Text.Length:
                Text = Text.Remove(Cursor, 1);
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
            _ => palette?.Commands.FirstOrDefault(command => command.Name == words[1])?.Arguments.SelectMany(argument => argument.Switches) ?? [],
        };
        return [.. known.Where(name => name.Length > 0 && name.StartsWith(last, StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
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
