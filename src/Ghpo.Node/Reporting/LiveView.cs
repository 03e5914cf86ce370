using System.Collections.Concurrent;
using System.Globalization;
using Ghpo.Inspection;
using Spectre.Console;
using Spectre.Console.Rendering;
using static Ghpo.Inspection.RunEvents;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Reporting;

/// <summary>
/// A panel on the terminal that is redrawn four times a second on a thread of its own, from the newest state; events only replace that state.
/// Notes are printed above it. Disposing draws the last state and gives the terminal back.
/// </summary>
internal sealed class LiveView : IRunView
{
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(250);

    private readonly IAnsiConsole _console;
    private readonly ConcurrentQueue<string> _notes = new();
    private readonly ManualResetEventSlim _stopped = new();
    private readonly Thread _drawer;
    private volatile RunProgress _progress = RunProgress.None;

    public LiveView(IAnsiConsole console)
    {
        _console = console;
        _drawer = new Thread(Draw) { IsBackground = true, Name = "live view" };
        _drawer.Start();
    }

    public void Observe(object runEvent, RunProgress progress)
    {
        _progress = progress;
        switch (runEvent)
        {
            case RunStarted started:
                Note(PlainView.Describe(started));
                break;
            case PolicyMeasured measured:
                Note(PlainView.Describe(measured.Result));
                break;
            default:
                if (PlainView.Describe(runEvent) is { } line)
                {
                    Note(line);
                }

                break;
        }
    }

    public void Note(string text) => _notes.Enqueue(text);

    public void Dispose()
    {
        _stopped.Set();
        _drawer.Join();
        _stopped.Dispose();
    }

    /// <summary>The panel of a state. A row is a line, whatever the terminal's width: in fewer words, or cut.</summary>
    internal static IRenderable Render(RunProgress progress)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        string remaining = progress.Remaining is { } time ? $"  ETA {Duration(time)}" : "";
        string activity = progress.Pipeline is { } now ? $"{now.Activity}{(now.GroupsOfStep > 0 ? $", {now.SettledGroups}/{now.GroupsOfStep} groups settled" : "")}" : "starting";
        void Row(string name, string figures, params string[] shorter) => grid.AddRow(new Text(name), new OneLine(figures, Style.Plain, shorter: shorter));

        string Progress(int bar) => $"{Bar(progress.Fraction, bar)} {Percent(progress.Fraction)}  step {progress.StepsDone}/{progress.Run?.Steps}{remaining}";
        Row("progress", Progress(30), Progress(10), $"{Percent(progress.Fraction)}  step {progress.StepsDone}/{progress.Run?.Steps}{remaining}");
        Row("now", activity);
        if (progress.LastStep is { } step)
        {
            string hinted = string.Join(", ", new[] { ("without hint", step.UnhintedAccuracy), ("with", step.HintedAccuracy) }
                .Where(part => part.Item2 is not null).Select(part => $"{part.Item1} {Figure(part.Item2!.Value)}"));
            string rate = step.Learning.LearningRate.ToString("0.##e-0", CultureInfo.InvariantCulture);
            long sampled = progress.Pipeline?.RolloutTokens ?? step.TotalRolloutTokens;
            Row("reward", $"{Figure(step.MeanReward)}   accuracy {Figure(step.Accuracy)} ({hinted})");
            string Settled(int bar) => string.Join("   ", step.Settlements().Select(part => $"{part.Name} {Bar(part.Share, bar)} {Percent(part.Share)}"));
            string Shares(double above) => string.Join("  ", step.Settlements().Where(part => part.Share > above).Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Name}:{part.Share * 100:0} %")));
            Row("settled at", Settled(8), Settled(4), Shares(above: -1), Shares(above: 0));
            Row("gradient norm", $"{Figure(step.Learning.GradientNorm)}   entropy {Figure(step.Entropy())}   learning rate {rate}");
            Row("tokens/s", $"rollout {Count(step.RolloutTokensPerSecond())}   learner {Count(step.LearnerTokensPerSecond())}");
            Row("tokens sampled", Count(sampled));
        }

        if (progress.Pipeline is { Stages.IsDefaultOrEmpty: false } pipeline)
        {
            Row("queues", string.Join("   ", pipeline.Stages.Select(stage => $"{stage.Stage} {stage.Groups}/{stage.Bound}")));
        }

        if (progress.Measured is { } measured)
        {
            Row("held-out", $"{Figure(measured.Accuracy)} at {measured.Version}");
        }

        return new Panel(grid).Header($" ghpo {Markup.Escape(progress.Run?.Run ?? "")} ").Expand();
    }

    private static string Bar(double share, int width)
    {
        int full = (int)Math.Round(Math.Clamp(share, 0, 1) * width);
        return new string('█', full) + new string('░', width - full);
    }

    private void Draw() => _console.Live(Render(_progress)).Start(context =>
    {
        bool last;
        do
        {
            last = _stopped.Wait(Redraw);
            while (_notes.TryDequeue(out string? note))
            {
                _console.Write(new AbovePanel(note));
            }

            context.UpdateTarget(Render(_progress));
        }
        while (!last);
    });

    /// <summary>A note in the place of the panel's first line, which is drawn again below it.</summary>
    private sealed class AbovePanel(string note) : Renderable
    {
        private const string EraseToEndOfScreen = "\u001b[J";

        // Without the erasure, what the panel has to the right of a shorter note would stay.
        protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
            [Segment.Control(EraseToEndOfScreen), .. ((IRenderable)new Text(note + "\n")).Render(options, maxWidth)];
    }
}
