using System.Globalization;
using Ghpo.Node.Reporting;
using Spectre.Console;
using Spectre.Console.Rendering;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Top;

/// <summary>A state of <c>ghpo top</c> as it is drawn. What the host has not told is left out or shown as a dash; what does not fit the width is cut, never wrapped.</summary>
internal static class TopView
{
    /// <summary>Below this many columns tables lose what can be done without.</summary>
    private const int Wide = 100;

    private const int LabelWidth = 11;
    private const int FigureWidth = 26;
    private const string Unknown = "–";
    private static readonly string[] _wideColumns = ["worker", "state", "policy", ">groups", ">seqs", ">tok/s", "node", "note"];
    private static readonly Style _alarm = new(Color.Red);
    private static readonly Style _faint = new(decoration: Decoration.Dim);

    public static IRenderable Render(TopState state, int width)
    {
        var parts = new List<IRenderable> { Line(Title(state), Style.Plain.Decoration(Decoration.Bold)) };
        if (state.Problem is { } problem)
        {
            parts.Add(Line(problem, _alarm));
        }

        if (state.Node is { } node)
        {
            parts.Add(Row("node", node));
        }
        else
        {
            parts.AddRange(Run(state, width));
        }

        parts.Add(Text.Empty);
        parts.Add(Workers(state, width));
        parts.Add(Text.Empty);
        if (state.Node is null)
        {
            parts.Add(Stages(state, width));
            parts.Add(Text.Empty);
        }

        parts.AddRange(state.Log.IsEmpty ? [Line("no log lines yet", _faint)] : state.Log.Select(line => Line(line, _faint)));
        return new Rows(parts);
    }

    private static IEnumerable<IRenderable> Run(TopState state, int width)
    {
        if (state.Run is { } run)
        {
            yield return Row("why", run.WaitsFor, run.Stalled ? _alarm : Style.Plain);
        }

        int curve = Math.Max(4, width - LabelWidth - FigureWidth);
        yield return Row("reward", Curve([.. state.Steps.Select(step => step.Reward)], curve));
        yield return Row("accuracy", Curve([.. state.Steps.Select(step => step.Accuracy)], curve));
        yield return Row("hint share", Curve([.. state.Steps.Select(step => step.HintShare)], curve));
        if (state.Run is { } known)
        {
            yield return Row("rates", $"rollout {Rate(known.RolloutTokensPerSecond)} tok/s   learner {Rate(known.LearnerTokensPerSecond)} tok/s   step {Seconds(known.StepSeconds)}");
            yield return Row("learner", $"{known.Activity}, staleness {known.Staleness}{(known.VersionsBehind is { } behind ? $" ({Math.Max(0, behind)} behind)" : "")}, {Checkpoint(known)}");
        }
    }

    private static string Title(TopState state)
    {
        if (state.Run is not { } run)
        {
            return $"ghpo top  {state.Address}";
        }

        string eta = run.EtaSeconds is { } seconds ? $"  ETA {Duration(TimeSpan.FromSeconds(seconds))}" : "";
        return $"ghpo top  {run.Name}  {run.State}  step {run.Step}/{run.Steps?.ToString(CultureInfo.InvariantCulture) ?? Unknown}{eta}  {state.Address}";
    }

    private static string Curve(double[] values, int width)
    {
        double[] finite = [.. values.TakeLast(width).Where(double.IsFinite)];
        return finite.Length == 0 ? Unknown : $"{Sparkline.Of(values, width)}  {Figure(values[^1])}  ({Figure(finite.Min())} to {Figure(finite.Max())})";
    }

    private static string Checkpoint(TopRun run) => run.CheckpointStep is > 0 and { } step
        ? $"checkpoint after step {step - 1}{(run.CheckpointAgeSeconds is { } age ? $", {Duration(TimeSpan.FromSeconds(age))} ago" : "")}"
        : "no checkpoint yet";

    private static Table Workers(TopState state, int width)
    {
        bool wide = width >= Wide;
        Table table = Columns(wide ? _wideColumns : [.. _wideColumns.Where(name => name != "node")]);
        foreach (TopWorker worker in state.Workers)
        {
            table.AddRow(Cells(
            [
                worker.Name, Known(worker.State), worker.Version is { } version ? $"v{version}" : Unknown, Number(worker.Groups), Number(worker.Sequences),
                ">" + Rate(worker.TokensPerSecond), .. wide ? new[] { Known(worker.Node) } : [], worker.Why,
            ], worker.State is "suspect" or "lost" ? _alarm : Style.Plain));
        }

        if (state.Workers.IsEmpty)
        {
            table.AddRow(Cells(["no worker", .. Enumerable.Repeat("", table.Columns.Count - 1)], _faint));
        }

        return table;
    }

    private static Table Stages(TopState state, int width)
    {
        Table table = Columns(["stage", ">in", ">out", ">inside", "state"]);
        foreach (TopStage stage in state.Stages)
        {
            string since = width >= Wide ? $", since {Seconds(stage.SinceSeconds)}" : "";
            table.AddRow(Cells([stage.Name, Number(stage.In), Number(stage.Out), $">{stage.Groups}/{stage.Bound}", stage.State + since], Style.Plain));
        }

        if (state.Stages.IsEmpty)
        {
            table.AddRow(Cells(["no pipeline yet", "", "", "", ""], _faint));
        }

        return table;
    }

    private static Table Columns(IEnumerable<string> names)
    {
        Table table = new Table().NoBorder();
        foreach (string name in names)
        {
            table.AddColumn(new TableColumn(Cell(name, _faint)).Padding(0, 0, 2, 0));
        }

        return table;
    }

    private static IEnumerable<IRenderable> Cells(IEnumerable<string> texts, Style style) => texts.Select(text => Cell(text, style));

    /// <summary>Those with a leading &gt; are numbers.</summary>
    private static OneLine Cell(string text, Style style) => new(text.TrimStart('>'), style, right: text.StartsWith('>'));

    private static OneLine Row(string label, string text, Style? style = null) => Line(label.PadRight(LabelWidth) + text, style ?? Style.Plain);

    private static OneLine Line(string text, Style style) => new(text, style);

    private static string Known(string text) => text.Length > 0 ? text : Unknown;

    private static string Rate(double? rate) => rate is { } known ? Count(known) : Unknown;

    private static string Seconds(double? seconds) => seconds is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known:0.0} s") : Unknown;

    private static string Number(long number) => $">{number.ToString(CultureInfo.InvariantCulture)}";
}
