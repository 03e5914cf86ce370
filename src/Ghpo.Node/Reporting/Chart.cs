using System.Collections.Immutable;

namespace Ghpo.Node.Reporting;

/// <summary>A plot, as what is to be drawn.</summary>
/// <param name="Name">Of its file, without extension.</param>
/// <param name="Across">What the horizontal axis counts.</param>
/// <param name="Unit">What the vertical axis counts.</param>
/// <param name="Form">How the lines are drawn.</param>
/// <param name="Lines">None: there is nothing to draw, and the notes say why.</param>
/// <param name="Notes">What is not in it, and why.</param>
internal sealed record Chart(
    string Title, string Name, string Across, string Unit, ChartForm Form, ImmutableArray<ChartLine> Lines, ImmutableArray<string> Notes);

internal enum ChartForm
{
    Lines,

    /// <summary>The lines are shares of a whole, drawn on top of each other.</summary>
    Stack,

    /// <summary>The lines are whole numbers, each in force until the next one.</summary>
    Steps,
}

/// <param name="Color">Its place in the palette, the same in all charts of a report where lines are runs.</param>
/// <param name="Points">By rising X, all finite.</param>
internal sealed record ChartLine(string Name, int Color, ImmutableArray<(double X, double Y)> Points);
