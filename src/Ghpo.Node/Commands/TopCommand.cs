using System.CommandLine;
using System.Runtime.InteropServices;
using Ghpo.Configuration;
using Ghpo.Node.Inspecting;
using Ghpo.Node.Top;
using Spectre.Console;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo top</c>: a live run on a terminal, redrawn each second. Where nobody can look at a terminal, or with <c>--once</c>, it prints the state and ends.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    public static Command Build()
    {
        Argument<string?> target = new Argument<string?>("RUN|HOST:PORT")
        {
            Description = $"A run on this machine, by its name in runs/ or its folder, or where its inspection listens. Default {InspectionAddress.Default}.",
            Arity = ArgumentArity.ZeroOrOne,
        }.OfRuns();
        var client = new ClientOptions();
        var once = new Option<bool>("--once") { Description = "Print the state and end, as where the output is no terminal." };
        var command = new Command("top", "A live run on the terminal: reward and hints, workers, pipeline, log; Ctrl-C ends it. Example: `ghpo top 127.0.0.1:9111`.") { target, once };
        client.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            string? wanted = parsed.GetValue(target);
            InspectionAddress address = wanted is null ? InspectionAddress.Default : InspectionAddress.Of(wanted);
            using PbmClient connected = await client.ConnectAsync(parsed, address);
            var feed = new TopFeed(connected, address.ToString());
            IAnsiConsole console = Terminal.For(parsed.InvocationConfiguration.Output);
            if (parsed.GetValue(once) || console.Profile.Capabilities is not { Interactive: true, Ansi: true })
            {
                console.Write(TopView.Render(await feed.NextAsync(), console.Profile.Width));
                return ExitCodes.Success;
            }

            return await WatchAsync(feed, console, parsed.InvocationConfiguration.Error);
        });
        return command;
    }

    private static async Task<int> WatchAsync(TopFeed feed, IAnsiConsole console, TextWriter error)
    {
        using var interrupted = new CancellationTokenSource();
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            interrupted.Cancel();
        });
        TopState state = await feed.NextAsync();
        UserErrorException? gone = null;
        console.Write(new ControlCode("\e[?1049h\e[H\e[?25l"));
        try
        {
            while (!interrupted.IsCancellationRequested)
            {
                Draw(console, state);
                try
                {
                    await Task.Delay(_interval, interrupted.Token);
                    state = await feed.NextAsync();
                }
                catch (OperationCanceledException)
                {
                    break;
                }
            }
        }
        catch (UserErrorException lost)
        {
            gone = lost;
        }
        finally
        {
            console.Write(new ControlCode("\e[?25h\e[?1049l"));
        }

        // What was seen last stays on the terminal.
        console.Write(TopView.Render(state, console.Profile.Width));
        if (gone is not null)
        {
            await error.WriteLineAsync(gone.Message);
            return ExitCodes.Failure;
        }

        return ExitCodes.Success;
    }

    /// <summary>Over what was drawn before, line by line, so that nothing flickers; a terminal of few lines shows the first ones.</summary>
    private static void Draw(IAnsiConsole console, TopState state)
    {
        (int width, int height) = (Console.WindowWidth, Console.WindowHeight);
        console.Profile.Width = width;
        var text = new StringWriter();
        IAnsiConsole page = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(text),
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.Standard,
            Interactive = InteractionSupport.No,
        });
        page.Profile.Width = width;
        page.Write(TopView.Render(state, width));
        IEnumerable<string> lines = text.ToString().TrimEnd('\n').Split('\n').Take(height).Select(line => line.TrimEnd('\r') + "\e[K");
        console.Write(new ControlCode("\e[H" + string.Join("\r\n", lines) + "\e[J"));
    }
}
