using System.CommandLine;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo manual</c>: the reference of the command line.</summary>
internal static class ManualCommand
{
    public static Command Build(RootCommand root)
    {
        var command = new Command("manual", "Prints the page docs/cli.md: every command with its arguments, options, defaults, exit codes and examples.");
        command.SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Output.Write(CommandManual.Markdown(root));
            return ExitCodes.Success;
        });
        return command;
    }
}
