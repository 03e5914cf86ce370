using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Ghpo.Configuration;

namespace Ghpo.Node.Commands;

/// <summary>The page docs/cli.md, made from the parser itself.</summary>
internal static partial class CommandManual
{
    private static readonly Dictionary<string, string> _exitCodes = new(StringComparer.Ordinal)
    {
        ["train"] = "130 where the user stopped it (Ctrl-C, SIGTERM); it can be resumed.",
        ["resume"] = "130 where the user stopped it (Ctrl-C, SIGTERM); it can be resumed again.",
        ["node"] = "130 where the user stopped it.",
        ["compare"] = "1 where a run is missing from the result, 130 where the user stopped it; the same command goes on.",
        ["journal check"] = "1 on any fault.",
        ["replay"] = "1 on any difference from what the run journalled.",
        ["pbm"] = "1 where it could not be done, 2 where it was asked wrongly, 130 where Ctrl-C ended a tail.",
    };

    public static string Markdown(RootCommand root)
    {
        var page = new StringBuilder($"""
            # Command line

            `ghpo manual` prints this page, from the parser; a test compares them. `ghpo COMMAND --help` prints a part of it.
            `ghpo` stands for the executable, or for `dotnet run -c Release --project src/Ghpo.Node --`.

            {root.Description}

            | exit code | |
            |---|---|
            | {ExitCodes.Success} | done |
            | {ExitCodes.Failure} | something failed that the user did not cause; the message says where the log is |
            | {ExitCodes.UserError} | arguments, configuration, data or files that the user can mend; the message says how |
            | {ExitCodes.Interrupted} | stopped by Ctrl-C or SIGTERM |

            Every command has `--help` (`-h`, `-?`); `ghpo --version` prints the version. Settings (`ghpo.…`) are those of [configuration.md](configuration.md).

            """);
        foreach (Command command in root.Subcommands.SelectMany(Leaves))
        {
            Section(page, command);
        }

        return page.ToString();
    }

    /// <summary>The commands that do something.</summary>
    public static IEnumerable<Command> Leaves(Command command) => command.Subcommands.Count == 0 ? [command] : command.Subcommands.SelectMany(Leaves);

    private static void Section(StringBuilder page, Command command)
    {
        Option[] options = [.. command.Options.Where(option => option is not HelpOption && !option.Hidden)];
        string required = string.Concat(options.Where(option => option.Required).Select(option => $" {option.Name} {Value(option)}"));
        string arguments = string.Concat(command.Arguments.Select(argument => $" {Shape(argument)}"));
        page.Append(CultureInfo.InvariantCulture, $"\n## {CommandNames.Full(command)}\n\n{command.Description}\n\n");
        page.Append(CultureInfo.InvariantCulture, $"    {CommandNames.Full(command)}{arguments}{required}{(options.Any(option => !option.Required) ? " [options]" : "")}\n");
        if (command.Arguments.Count + options.Length > 0)
        {
            page.Append("\n| | | default |\n|---|---|---|\n");
        }

        foreach (Argument argument in command.Arguments)
        {
            page.Append(CultureInfo.InvariantCulture, $"| `{Cell(argument.Name)}` | {Cell(argument.Description)} | {(argument.Arity.MinimumNumberOfValues > 0 ? "required" : "")} |\n");
        }

        foreach (Option option in options)
        {
            string names = string.Join(", ", option.Aliases.Order(StringComparer.Ordinal).Append(option.Name).Select(name => $"`{name}`"));
            string value = option.ValueType == typeof(bool) ? "" : $" {Cell(Value(option))}";
            page.Append(CultureInfo.InvariantCulture, $"| {names}{value} | {Cell(option.Description)} | {Cell(Default(option))} |\n");
        }

        if (_exitCodes.TryGetValue(CommandNames.Of(command), out string? exitCode))
        {
            page.Append(CultureInfo.InvariantCulture, $"\nExit code: {exitCode}\n");
        }

        page.Append('\n');
        foreach (CommandExample example in CommandExamples.Of(command))
        {
            page.Append(CultureInfo.InvariantCulture, $"    # {example.Meaning}\n    {example.Line}\n");
        }
    }

    private static string Shape(Argument argument) => (argument.Arity.MinimumNumberOfValues, argument.Arity.MaximumNumberOfValues) switch
    {
        (0, 1) => $"[{argument.Name}]",
        (0, _) => $"[{argument.Name}…]",
        (_, 1) => argument.Name,
        _ => $"{argument.Name}…",
    };

    private static string Value(Option option) => option.HelpName
        ?? (option.ValueType.IsEnum ? string.Join("|", Enum.GetNames(option.ValueType)) : option.Name.TrimStart('-').ToUpperInvariant());

    /// <summary>The parser's own, or that of the setting which the option is short for.</summary>
    private static string Default(Option option)
    {
        if (option.Required)
        {
            return "required";
        }

        if (ShortFor().Match(option.Description ?? "") is { Success: true } setting && SettingsWriter.Flat(SettingsBinder.Load(null, [])).TryGetValue(setting.Groups[1].Value, out string? value))
        {
            return value == "\"\"" ? "" : $"`{value}`";
        }

        return !option.HasDefaultValue || option.ValueType == typeof(bool) ? "" : option.GetDefaultValue() switch
        {
            null or "" => "",
            string[] list => $"`{string.Join(' ', list)}`",
            { } one => $"`{string.Format(CultureInfo.InvariantCulture, "{0}", one)}`",
        };
    }

    private static string Cell(string? text) => (text ?? "").Replace("|", "\\|", StringComparison.Ordinal);

    /// <summary>As in "Optimizer steps (ghpo.run.steps)."</summary>
    [GeneratedRegex(@"\((ghpo(?:\.[a-z0-9-]+)+)\)\.$")]
    private static partial Regex ShortFor();
}
