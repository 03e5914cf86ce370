using Ghpo.Inspection;
using Ghpo.Node.Reporting;
using Spectre.Console;
using Spectre.Console.Rendering;
using Xunit;

namespace Ghpo.Tests.Node;

public sealed class LiveViewTests
{
    [Fact]
    public void A_note_takes_the_panel_s_place_and_erases_what_the_panel_leaves_to_its_right()
    {
        var terminal = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(terminal),
        });
        using (var view = new LiveView(console))
        {
            view.Note("checkpoint after step 20");
        }

        Assert.Contains("\u001b[Jcheckpoint after step 20", terminal.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(100)]
    public void However_narrow_the_terminal_a_row_is_a_line_and_what_matters_of_it_is_said_in_fewer_words(int width)
    {
        RunProgress progress = new object[]
        {
            new RunEvents.RunStarted("a-run-with-a-long-name", "folder", 0, 10, 0, 6000, 200), new RunEvents.StepCompleted(RecordedRun.Step(0)),
            new RunEvents.PipelineProgress(2, 3, 32, "training", 30_000, [.. new[] { "sampler", "rollout", "verifier", "classifier", "learner" }.Select(stage => new RunEvents.StageDepth(stage, 12, 64, 0))]),
        }.Aggregate(RunProgress.None, (state, runEvent) => state.Apply(runEvent));
        string[] wide = Lines(progress, 300);
        string[] narrow = Lines(progress, width);
        Assert.Equal(wide.Length, narrow.Length);
        Assert.All(narrow, line => Assert.Equal(width, new Segment(line).CellCount()));
        string settled = Assert.Single(narrow, line => line.Contains("settled at", StringComparison.Ordinal));
        if (width >= 60)
        {
            Assert.Contains("step 1/10", Assert.Single(narrow, line => line.Contains("progress", StringComparison.Ordinal)), StringComparison.Ordinal);
        }

        if (width >= 80)
        {
            Assert.All(RecordedRun.Step(0).Settlements().Where(part => part.Share > 0), part => Assert.Contains(part.Name, settled, StringComparison.Ordinal));
            Assert.DoesNotContain('…', settled);
        }
    }

    private static string[] Lines(RunProgress progress, int width)
    {
        var terminal = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            Interactive = InteractionSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(terminal),
        });
        console.Profile.Width = width;
        console.Write(LiveView.Render(progress));
        return terminal.ToString().ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
    }
}
