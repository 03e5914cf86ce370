using System.Collections.Immutable;
using Ghpo.Configuration;

namespace Ghpo.Inspection;

/// <summary>
/// Words as they are typed to and from requests. The client reads with it what its user typed, by the palettes that it got from the host; the host checks
/// with it what any client sent.
/// </summary>
public static class RequestReader
{
    /// <summary>Characters of who asks, which is journalled and shown to others.</summary>
    public const int LongestName = 200;

    /// <exception cref="UserErrorException">A word is unknown or missing; names the nearest known one, and what to type.</exception>
    public static InspectionRequest Read(ImmutableArray<InspectionPalette> palettes, IReadOnlyList<string> words, string by)
    {
        InspectionPalette palette = PaletteOf(palettes, words[0]);
        InspectionCommand? alone = palette.Commands.FirstOrDefault(command => command.Name.Length == 0);
        (InspectionCommand command, int first) = words.Count > 1 && palette.Commands.FirstOrDefault(known => known.Name == words[1]) is { } named
            ? (named, 2)
            : alone is not null ? (alone, 1) : throw UnknownCommand(palette, words.Count > 1 ? words[1] : null);
        var given = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var places = new Queue<InspectionArgument>(command.Arguments.Where(argument => argument.Positional));
        for (int i = first; i < words.Count; i++)
        {
            string word = words[i];
            bool isSwitch = word.Length > 1 && word[0] == '-' && !char.IsAsciiDigit(word[1]) && word[1] != '.';
            InspectionArgument? argument = isSwitch ? command.Arguments.FirstOrDefault(known => known.Switches.Contains(word)) : Next(places, given);
            if (argument is null)
            {
                throw Surplus(palette, command, word, isSwitch);
            }

            if (isSwitch && argument.Kind != ArgumentKind.Flag && ++i == words.Count)
            {
                throw new UserErrorException($"{word} needs a value: {Usage(palette, command)}");
            }

            string value = argument.Kind == ArgumentKind.Flag ? "true" : words[i];
            if (argument.Kind == ArgumentKind.Words)
            {
                value = string.Join(' ', words.Skip(i));
                i = words.Count;
            }

            if (!given.TryAdd(argument.Name, value))
            {
                throw new UserErrorException($"{Title(palette, command)}: {argument.Name} is given twice");
            }
        }

        var request = new InspectionRequest(palette.Name, command.Name, given.ToImmutable(), by);
        return Check(palettes, request) is { } problem ? throw new UserErrorException(problem) : request;
    }

    /// <summary>What is wrong with a request; null: nothing.</summary>
    public static string? Check(ImmutableArray<InspectionPalette> palettes, InspectionRequest request)
    {
        InspectionCommand command;
        InspectionPalette palette;
        try
        {
            palette = PaletteOf(palettes, request.Palette);
            command = palette.Commands.FirstOrDefault(known => known.Name == request.Command) ?? throw UnknownCommand(palette, request.Command);
        }
        catch (UserErrorException problem)
        {
            return problem.Message;
        }

        string? unknown = request.Arguments.Keys.FirstOrDefault(name => command.Arguments.All(argument => argument.Name != name));
        if (unknown is not null)
        {
            string nearest = Nearest.To(unknown, command.Arguments.Select(argument => argument.Name)) is { } name ? $"; did you mean {name}?" : "";
            return $"{Title(palette, command)} has no argument {unknown}{nearest}";
        }

        if (request.Arguments.FirstOrDefault(argument => argument.Value is null).Key is { } empty)
        {
            return $"{Title(palette, command)}: {empty} is null, which no value is";
        }

        if (request.By.Length > LongestName || request.By.Any(char.IsControl))
        {
            return $"{Title(palette, command)}: whoever asks is named in at most {LongestName} characters, without control characters";
        }

        InspectionArgument? missing = command.Arguments.FirstOrDefault(argument => argument.Mandatory && !request.Arguments.ContainsKey(argument.Name));
        return missing is null ? null : $"{Title(palette, command)} needs {missing.Name} ({missing.Description}): {Usage(palette, command)}";
    }

    /// <summary>How a command is typed.</summary>
    public static string Usage(InspectionPalette palette, InspectionCommand command) => string.Join(
        ' ', [Title(palette, command), .. command.Arguments.Select(argument => argument.Mandatory ? Shape(argument) : $"[{Shape(argument)}]")]);

    /// <summary>Splits a typed line at spaces; quotes hold words together.</summary>
    public static IReadOnlyList<string> Split(string line)
    {
        var words = new List<string>();
        var word = new System.Text.StringBuilder();
        char quote = '\0';
        bool open = false;
        foreach (char c in line)
        {
            if (quote == '\0' && char.IsWhiteSpace(c))
            {
                if (open)
                {
                    words.Add(word.ToString());
                    word.Clear();
                    open = false;
                }
            }
            else if (c == quote || (quote == '\0' && c is '"' or '\''))
            {
                quote = quote == '\0' ? c : '\0';
                open = true;
            }
            else
            {
                word.Append(c);
                open = true;
            }
        }

        if (open)
        {
            words.Add(word.ToString());
        }

        return words;
    }

    private static InspectionArgument? Next(Queue<InspectionArgument> places, ImmutableSortedDictionary<string, string>.Builder given)
    {
        while (places.TryDequeue(out InspectionArgument? argument))
        {
            if (!given.ContainsKey(argument.Name))
            {
                return argument;
            }
        }

        return null;
    }

    private static string Title(InspectionPalette palette, InspectionCommand command) =>
        command.Name.Length == 0 ? palette.Name : $"{palette.Name} {command.Name}";

    private static string Shape(InspectionArgument argument)
    {
        string value = argument.Name.ToUpperInvariant();
        return argument.Kind switch
        {
            ArgumentKind.Flag => argument.Switches[^1],
            ArgumentKind.Words => $"{value}…",
            _ => argument.Positional ? value : $"{argument.Switches[^1]} {value}",
        };
    }

    private static InspectionPalette PaletteOf(ImmutableArray<InspectionPalette> palettes, string name) =>
        palettes.FirstOrDefault(palette => palette.Name == name) ?? throw new UserErrorException(
            $"{name}: no such command{DidYouMean(name, palettes.Select(palette => palette.Name))} There are {string.Join(", ", palettes.Select(palette => palette.Name))}; `help` says what they do.");

    private static UserErrorException UnknownCommand(InspectionPalette palette, string? name) => new(
        name is null
            ? $"{palette.Name} needs one of {string.Join(", ", palette.Commands.Select(command => command.Name))}"
            : $"{palette.Name} {name}: no such command{DidYouMean(name, palette.Commands.Select(command => command.Name))} There are {string.Join(", ", palette.Commands.Select(command => command.Name))}.");

    private static UserErrorException Surplus(InspectionPalette palette, InspectionCommand command, string word, bool isSwitch) => new(
        isSwitch
            ? $"{Title(palette, command)} has no switch {word}{DidYouMean(word, command.Arguments.SelectMany(argument => argument.Switches))} {Usage(palette, command)}"
            : $"{Title(palette, command)}: nothing is known of '{word}'; {Usage(palette, command)}");

    private static string DidYouMean(string word, IEnumerable<string> known) =>
        Nearest.To(word, known.Where(name => name.Length > 0)) is { } name ? $"; did you mean {name}?" : ".";
}
