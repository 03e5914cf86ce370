using System.CommandLine;
using Ghpo.Configuration;

namespace Ghpo.Node.Commands;

/// <summary>Names of commands as users type them.</summary>
internal static class CommandNames
{
    /// <summary>Without the program's own: <c>journal show</c>; "" for the program itself.</summary>
    public static string Of(Command command) => string.Join(' ', Path(command).Select(one => one.Name));

    /// <summary>With the program's own.</summary>
    public static string Full(Command command) => command is RootCommand ? "ghpo" : $"ghpo {Of(command)}";

    /// <summary>What is wrong with a command line: the parser's messages, each word that it does not know with the nearest that it does, and where to look.</summary>
    public static IEnumerable<string> Problems(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        foreach (string message in parsed.Errors.Select(problem => problem.Message).Distinct())
        {
            yield return message;
        }

        string[] known = [.. command.Subcommands.Select(below => below.Name), .. command.Options.Select(option => option.Name), "--help"];
        foreach (string word in parsed.UnmatchedTokens.Distinct())
        {
            if (Nearest.To(word, known.Where(name => name.StartsWith('-') == word.StartsWith('-'))) is { } near)
            {
                yield return $"{word}: did you mean {near}?";
            }
        }

        yield return $"`{Full(command)} --help` lists what there is.";
    }

    private static IEnumerable<Command> Path(Command command) =>
        command is RootCommand ? [] : [.. command.Parents.OfType<Command>().SelectMany(Path), command];
}
