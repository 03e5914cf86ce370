using Ghpo.Node.Top;
using Spectre.Console;
using Xunit;

namespace Ghpo.Tests.Top;

/// <summary>What is drawn, as text.</summary>
public sealed class TopViewTests
{
    private static readonly TopState _whole = new(
        "127.0.0.1:9110",
        new TopRun(
            "sums", "running", 12, 80, "sampling", 12345, 54321, 1.25, 3e-4, 3723, 1, 1, 10, 12,
            "learner waits for 3 of 24 groups of step 12: 2 with rollout-0, 1 in verification, and then this sentence goes on for longer than most terminals are wide", false),
        [.. Enumerable.Range(0, 12).Select(step => new TopStep(step, step / 11.0, step / 22.0, 1 - (step / 11.0)))],
        [
            new TopWorker("rollout-0", "akka.tcp://ghpo@127.0.0.1:40123", "serving", 12, 2, 16, 3400, ""),
            new TopWorker("gpu-7", "akka.tcp://ghpo@10.0.0.7:40124", "suspect", 11, 0, 0, 0, "not heard for more than 5 s"),
            new TopWorker("late", "akka.tcp://ghpo@10.0.0.8:40124", "joining", null, 0, 0, 0, ""),
        ],
        [new TopStage("rollout", 290, 288, 2, 64, "works", 0.4), new TopStage("delivery", 286, 286, 0, 2, "waits for input", 3)],
        ["12:00:01.000 INFO Step 11 is committed: v12, reward 0.412", "12:00:02.000 WARN gpu-7 is suspect [not heard]; its 2 groups go to others"],
        null,
        null);

    [Fact]
    public void At_80_columns() => Assert.Equal(
        """
        ghpo top  sums  running  step 12/80  ETA 1:02:03  127.0.0.1:9110
        why        learner waits for 3 of 24 groups of step 12: 2 with rollout-0, 1 in …
        reward     ▁▂▂▃▄▄▅▅▆▇▇█  1.000  (0.000 to 1.000)
        accuracy   ▁▂▂▃▄▄▅▅▆▇▇█  0.500  (0.000 to 0.500)
        hint share █▇▇▆▅▅▄▄▃▂▂▁  0.000  (0.000 to 1.000)
        rates      rollout 12,345 tok/s   learner 54,321 tok/s   step 1.3 s
        learner    sampling, staleness 1 (1 behind), checkpoint after step 9, 0:12 ago

        worker     state    policy  groups  seqs  tok/s  note
        rollout-0  serving  v12          2    16  3,400
        gpu-7      suspect  v11          0     0      0  not heard for more than 5 s
        late       joining  –            0     0      0

        stage      in  out  inside  state
        rollout   290  288    2/64  works
        delivery  286  286     0/2  waits for input

        12:00:01.000 INFO Step 11 is committed: v12, reward 0.412
        12:00:02.000 WARN gpu-7 is suspect [not heard]; its 2 groups go to others
        """, Draw(_whole, 80));

    [Fact]
    public void At_120_columns_the_nodes_and_how_long_a_stage_is_at_it() => Assert.Equal(
        """
        ghpo top  sums  running  step 12/80  ETA 1:02:03  127.0.0.1:9110
        why        learner waits for 3 of 24 groups of step 12: 2 with rollout-0, 1 in verification, and then this sentence goe…
        reward     ▁▂▂▃▄▄▅▅▆▇▇█  1.000  (0.000 to 1.000)
        accuracy   ▁▂▂▃▄▄▅▅▆▇▇█  0.500  (0.000 to 0.500)
        hint share █▇▇▆▅▅▄▄▃▂▂▁  0.000  (0.000 to 1.000)
        rates      rollout 12,345 tok/s   learner 54,321 tok/s   step 1.3 s
        learner    sampling, staleness 1 (1 behind), checkpoint after step 9, 0:12 ago

        worker     state    policy  groups  seqs  tok/s  node                             note
        rollout-0  serving  v12          2    16  3,400  akka.tcp://ghpo@127.0.0.1:40123
        gpu-7      suspect  v11          0     0      0  akka.tcp://ghpo@10.0.0.7:40124   not heard for more than 5 s
        late       joining  –            0     0      0  akka.tcp://ghpo@10.0.0.8:40124

        stage      in  out  inside  state
        rollout   290  288    2/64  works, since 0.4 s
        delivery  286  286     0/2  waits for input, since 3.0 s

        12:00:01.000 INFO Step 11 is committed: v12, reward 0.412
        12:00:02.000 WARN gpu-7 is suspect [not heard]; its 2 groups go to others
        """, Draw(_whole, 120));

    [Fact]
    public void A_node_without_the_learner() => Assert.Equal(
        """
        ghpo top  10.0.0.7:9110
        node       gpu-7 samples 2 groups under v12

        worker  state  policy  groups  seqs  tok/s  note
        gpu-7   –      v12          2    16      –  samples 2 groups under v12

        12:00:01.000 INFO gpu-7 joins run sums
        """,
        Draw(
            TopState.Of("10.0.0.7:9110") with
            {
                Node = "gpu-7 samples 2 groups under v12",
                Workers = [new TopWorker("gpu-7", "", "", 12, 2, 16, null, "samples 2 groups under v12")],
                Log = ["12:00:01.000 INFO gpu-7 joins run sums"],
            },
            80));

    [Fact]
    public void A_line_is_cut_at_whole_characters_and_wide_ones_take_two_columns() =>
        Assert.EndsWith("\n日本語日…", Draw(TopState.Of("h:1") with { Node = "n", Log = ["日本語日本語"] }, 10), StringComparison.Ordinal);

    [Fact]
    public void A_host_that_has_told_nothing_yet() => Assert.Equal(
        """
        ghpo top  10.0.0.7:9110
        no answer came within the time that an actor may take
        reward     –
        accuracy   –
        hint share –

        worker     state  policy  groups  seqs  tok/s  note
        no worker

        stage            in  out  inside  state
        no pipeline yet

        no log lines yet
        """, Draw(TopState.Of("10.0.0.7:9110") with { Problem = "no answer came within the time that an actor may take" }, 80));

    [Theory]
    [InlineData(20)]
    [InlineData(40)]
    [InlineData(60)]
    public void No_line_is_wider_than_a_narrow_terminal_and_none_is_wrapped(int width)
    {
        string[] lines = Draw(_whole, width).Split('\n');
        Assert.All(lines, line => Assert.True(line.Length <= width, $"{line.Length}: {line}"));
        Assert.Equal(Draw(_whole, 200).Split('\n').Length, lines.Length);
        Assert.StartsWith("why        lear", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_curve_shows_the_newest_values_its_gaps_and_a_level_line()
    {
        Assert.Equal("▁▅█", Sparkline.Of([100, 1, 2, 3], 3));
        Assert.Equal("▁ █", Sparkline.Of([1, double.NaN, 2], 10));
        Assert.Equal("▅▅", Sparkline.Of([0.5, 0.5], 10));
        Assert.Equal("", Sparkline.Of([], 10));
        Assert.Equal("", Sparkline.Of([double.NaN], 10));
    }

    [Fact]
    public void Steps_are_remembered_once_and_no_more_than_fit()
    {
        TopState state = _whole.WithSteps([new TopStep(11, 0.5, 0.5, 0.5), .. Enumerable.Range(12, 300).Select(step => new TopStep(step, 0, 0, 0))]);
        Assert.Equal(TopState.MostSteps, state.Steps.Length);
        Assert.Equal(311, state.Steps[^1].Step);
        Assert.Equal(0.5, _whole.WithSteps([new TopStep(11, 0.5, 0.5, 0.5)]).Steps[^1].Reward);
    }

    /// <summary>Without what is to the right of the last letter of a line.</summary>
    private static string Draw(TopState state, int width)
    {
        var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = width;
        console.Write(TopView.Render(state, width));
        return string.Join('\n', text.ToString().ReplaceLineEndings("\n").TrimEnd('\n').Split('\n').Select(line => line.TrimEnd()));
    }
}
