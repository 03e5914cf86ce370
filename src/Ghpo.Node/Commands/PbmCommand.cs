using System.CommandLine;
using System.Runtime.InteropServices;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Inspecting;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo pbm</c>: looks into a live run and steers it.</summary>
internal static class PbmCommand
{
    public static Command Build()
    {
        var words = new Argument<string[]>("[HOST:PORT] COMMAND")
        {
            Description = "What to ask, as in `run status`; without it, a prompt. `help` lists what the host knows.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var json = new Option<bool>("--json") { Description = "One JSON object a line, for scripts." };
        var options = new ClientOptions();
        Option<string?> run = new Option<string?>("--run") { Description = "The run on this machine, by its name in runs/ or its folder, instead of HOST:PORT.", HelpName = "RUN" }.OfRuns();
        var command = new Command(
            "pbm", $"Looks into a live run and steers it. Default {InspectionAddress.Default}.")
        {
            words, json, run,
        };
        options.AddTo(command);
        words.Validators.Add(given =>
        {
            // Words are taken as they come, so the parser does not miss an option that there is not.
            if (given.Tokens is [{ Value: ['-', ..] word }, ..])
            {
                given.AddError(Nearest.To(word, command.Options.Select(option => option.Name)) is { } near ? $"{word}: did you mean {near}?" : $"{word}: no such option");
            }
        });
        command.SetAction(async (parsed, cancelled) =>
        {
            List<string> asked = [.. parsed.GetValue(words) ?? []];
            InspectionAddress address = parsed.GetValue(run) is { } name ? InspectionAddress.OfRun(name) : OfWords(asked);
            TextWriter output = parsed.InvocationConfiguration.Output;
            using PbmClient client = await options.ConnectAsync(parsed, address);
            var session = new PbmSession(client, parsed.GetValue(json), output, parsed.InvocationConfiguration.Error);
            return asked.Count > 0
                ? await Interruptible(interrupted => session.RunAsync(asked, interrupted))
                : await PromptAsync(client, session, $"[{address}] pbm> ", output);
        });
        return command;
    }

    private static InspectionAddress OfWords(List<string> words)
    {
        if (words.Count == 0 || !words[0].Contains(':', StringComparison.Ordinal))
        {
            return InspectionAddress.Default;
        }

        string address = words[0];
        words.RemoveAt(0);
        return InspectionAddress.Parse(address);
    }

    /// <summary>The first Ctrl-C ends what is being answered.</summary>
    private static async Task<int> Interruptible(Func<CancellationToken, Task<int>> work)
    {
        using var interrupted = new CancellationTokenSource();
        void Cancel(PosixSignalContext signal)
        {
            signal.Cancel = true;
            interrupted.Cancel();
        }

        using var first = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var second = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        return await work(interrupted.Token);
    }

    private static async Task<int> PromptAsync(PbmClient client, PbmSession session, string prompt, TextWriter output)
    {
        bool typed = !Console.IsInputRedirected && !Console.IsOutputRedirected;
        var editor = new LineEditor(before => LineEditor.Complete(client.Palettes, before));
        if (typed)
        {
            await output.WriteLineAsync($"Connected to {client.Node}. `help` lists what it knows, tab completes, `exit` ends.");
        }

        int exitCode = ExitCodes.Success;
        while ((typed ? ReadTyped(editor, prompt) : await Console.In.ReadLineAsync()) is { } line)
        {
            IReadOnlyList<string> words = RequestReader.Split(line);
            if (words is ["exit" or "quit", ..])
            {
                break;
            }

            if (words.Count > 0)
            {
                exitCode = await Interruptible(interrupted => session.RunAsync(words, interrupted));
                if (client.IsOver)
                {
                    return ExitCodes.Failure;
                }
            }
        }

        return typed ? ExitCodes.Success : exitCode;
    }

    /// <summary>Ctrl-C drops the line.</summary>
    /// <returns>Null at Ctrl-D or Ctrl-C on an empty line.</returns>
    private static string? ReadTyped(LineEditor editor, string prompt)
    {
        Console.TreatControlCAsInput = true;
        try
        {
            while (true)
            {
                Draw(editor, prompt);
                ConsoleKeyInfo key = Console.ReadKey(intercept: true);
                bool control = key.Modifiers == ConsoleModifiers.Control;
                if (control && key.Key is ConsoleKey.C or ConsoleKey.D && editor.Text.Length == 0)
                {
                    Console.WriteLine();
                    return null;
                }

                if (control && key.Key == ConsoleKey.C)
                {
                    Console.WriteLine("^C");
                    editor.Drop();
                }
                else if (control && key.Key == ConsoleKey.L)
                {
                    Console.Write("\e[H\e[2J");
                }
                else if (editor.Press(key) is { } line)
                {
                    Console.WriteLine();
                    return line;
                }
                else if (editor.Candidates.Count > 0)
                {
                    Console.WriteLine($"\n{string.Join("  ", editor.Candidates)}");
                }
            }
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
    }

    /// <summary>As much of the line as there is room for, from before the cursor on.</summary>
    private static void Draw(LineEditor editor, string prompt)
    {
        int room = Math.Max(10, Console.WindowWidth - prompt.Length - 1);
        (string seen, int cursor) = editor.Window(room);
        int column = prompt.Length + cursor;
        Console.Write($"\r{prompt}{seen}\e[K\r{(column > 0 ? $"\e[{column}C" : "")}");
    }
}
