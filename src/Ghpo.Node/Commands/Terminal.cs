using Spectre.Console;

namespace Ghpo.Node.Commands;

/// <summary>What a command writes to.</summary>
internal static class Terminal
{
    /// <summary>The terminal's own width, or wide enough for every table where there is none to fit.</summary>
    public static IAnsiConsole For(TextWriter output)
    {
        bool redirected = Console.IsOutputRedirected || output != Console.Out;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
            Interactive = redirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        if (redirected)
        {
            console.Profile.Width = 160;
        }

        return console;
    }
}
