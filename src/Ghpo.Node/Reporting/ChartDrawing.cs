using ScottPlot;
using ScottPlot.TickGenerators;

namespace Ghpo.Node.Reporting;

/// <summary>Charts as PNG files.</summary>
internal static class ChartDrawing
{
    public const int Width = 900;
    public const int Height = 420;

    /// <summary>A line of more points is drawn faintly, and over it the mean of each hundredth of it; of a stack the means alone.</summary>
    public const int MostSinglePoints = 300;

    /// <summary>The points of a line of no more are marked, so that nobody takes what lies between them for measured.</summary>
    public const int MostMarkedPoints = 30;

    private static readonly string[] LineColors = ["#1565c0", "#ef6c00", "#2e7d32", "#c62828", "#6a1b9a", "#00838f", "#9e9d24", "#ad1457", "#4e342e", "#546e7a", "#283593", "#00695c"];

    /// <summary>From green (solved without help) on: what is far from it stands out.</summary>
    private static readonly string[] StackColors = ["#2e7d32", "#7cb342", "#fbc02d", "#fb8c00", "#8d6e63", "#5c6bc0", "#26a69a", "#ab47bc"];

    private static readonly Color Unsolved = Color.FromHex("#c62828");

    /// <returns>The file, in a folder that is made if it does not exist.</returns>
    public static string Write(Chart chart, string folder)
    {
        string file = Path.Combine(Directory.CreateDirectory(folder).FullName, chart.Name + ".png");
        (chart.Form == ChartForm.Stack ? Stack(chart) : Lines(chart)).SavePng(file, Width, Height);
        return file;
    }

    private static Plot Lines(Chart chart)
    {
        Plot plot = Framed(chart);
        foreach (ChartLine line in chart.Lines)
        {
            Color color = Color.FromHex(LineColors[line.Color % LineColors.Length]);
            bool many = line.Points.Length > MostSinglePoints && chart.Form == ChartForm.Lines;
            if (many)
            {
                Add(plot, line.Points, color.WithAlpha(0.25), 1);
            }

            var drawn = Add(plot, many ? [.. Means(line.Points, line.Points.Length / 100)] : line.Points, color, 1.8f);
            drawn.LegendText = line.Name;
            drawn.MarkerSize = line.Points.Length == 1 || (line.Points.Length <= MostMarkedPoints && chart.Form == ChartForm.Lines) ? 6 : 0;
            drawn.ConnectStyle = chart.Form == ChartForm.Steps ? ConnectStyle.StepHorizontal : ConnectStyle.Straight;
        }

        if (chart.Form == ChartForm.Steps)
        {
            plot.Axes.Left.TickGenerator = new NumericAutomatic { IntegerTicksOnly = true };
            plot.Axes.SetLimitsY(0, chart.Lines.Max(line => line.Points.Max(point => point.Y)) + 1);
        }
        else if (chart.Lines.All(line => line.Points.All(point => point.Y == 0)))
        {
            // Nothing of what is plotted goes below 0 but to vary.
            plot.Axes.SetLimitsY(-0.05, 1);
        }

        if (chart.Lines.Length > 1)
        {
            plot.ShowLegend(Edge.Right);
        }

        return plot;
    }

    private static ScottPlot.Plottables.Scatter Add(Plot plot, IReadOnlyList<(double X, double Y)> points, Color color, float width)
    {
        var scatter = plot.Add.Scatter(points.Select(point => point.X).ToArray(), points.Select(point => point.Y).ToArray());
        (scatter.Color, scatter.LineWidth, scatter.MarkerSize) = (color, width, 0);
        return scatter;
    }

    private static IEnumerable<(double X, double Y)> Means(IEnumerable<(double X, double Y)> points, int each) =>
        points.Chunk(each).Select(part => (part.Average(point => point.X), part.Average(point => point.Y)));

    /// <summary>All lines of it have the same X.</summary>
    private static Plot Stack(Chart chart)
    {
        Plot plot = Framed(chart);
        int count = chart.Lines.First().Points.Length;
        int each = count > MostSinglePoints ? count / 100 : 1;
        double[] x = [.. Means(chart.Lines.First().Points, each).Select(point => point.X)];
        double[] below = new double[x.Length];
        foreach (ChartLine line in chart.Lines)
        {
            double[] above = [.. Means(line.Points, each).Select((point, i) => below[i] + point.Y)];
            var fill = plot.Add.FillY(x, below, above);
            fill.FillColor = line.Name == "unsolved" ? Unsolved : Color.FromHex(StackColors[line.Color % StackColors.Length]);
            fill.LineWidth = 0;
            fill.LegendText = line.Name;
            below = above;
        }

        plot.Axes.SetLimitsY(0, 1);
        plot.ShowLegend(Edge.Right);
        return plot;
    }

    private static Plot Framed(Chart chart)
    {
        Plot plot = PlotFont.Use(new Plot());
        plot.XLabel(chart.Across);
        plot.YLabel(chart.Unit);
        plot.Axes.Bottom.TickGenerator = new NumericAutomatic { IntegerTicksOnly = !chart.Across.Contains("since", StringComparison.Ordinal) };
        return plot;
    }
}
