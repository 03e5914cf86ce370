using ScottPlot;
using SkiaSharp;

namespace Ghpo.Node.Reporting;

/// <summary>
/// The font of plots: a sans serif that the machine has. A machine without any font (a bare container) draws plots without labels.
/// </summary>
internal static class PlotFont
{
    private static readonly string[] Preferred = ["Inter", "DejaVu Sans", "Liberation Sans", "Noto Sans", "Arial", "Helvetica", "Segoe UI"];

    private static readonly string[] Installed = [.. SKFontManager.Default.FontFamilies];

    /// <summary>What to do where plots have no labels; null where there are fonts.</summary>
    public static string? Advice => Installed.Length > 0
        ? null
        : "The plots have no labels: this machine has no fonts. Install some (Debian, Ubuntu: apt-get install fonts-dejavu-core), "
            + "then `ghpo report` draws them anew.";

    public static Plot Use(Plot plot)
    {
        if (Preferred.FirstOrDefault(Installed.Contains) is { } name)
        {
            plot.Font.Set(name);
            plot.Legend.FontName = name;
        }

        return plot;
    }
}
