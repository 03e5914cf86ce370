using System.Globalization;
using Ghpo.Node.Inspecting;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Ghpo.Node.Reporting;

/// <summary>Text in one line: the first wording that fits, else the last one, cut where there is no more room. (Spectre's own wraps between words before it cuts.)</summary>
/// <param name="right">At the right of its room; for numbers in a table.</param>
/// <param name="shorter">The same in fewer words, longest first.</param>
internal sealed class OneLine(string text, Style style, bool right = false, params IReadOnlyList<string> shorter) : Renderable
{
    private readonly string[] _wordings = [.. new[] { text }.Concat(shorter).Select(wording => TerminalText.Of(wording).ReplaceLineEndings(" "))];

    protected override Measurement Measure(RenderOptions options, int maxWidth)
    {
        int width = Math.Min(maxWidth, Cells(_wordings[0]));
        return new Measurement(Math.Min(width, 1), width);
    }

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        string wording = _wordings.FirstOrDefault(one => Cells(one) <= maxWidth) ?? _wordings[^1];
        int width = Cells(wording);
        string shown = width <= maxWidth ? wording : Cut(wording, maxWidth - 1) + "…";
        return [new Segment(right && width < maxWidth ? new string(' ', maxWidth - width) + shown : shown, style)];
    }

    private static int Cells(string text) => new Segment(text).CellCount();

    /// <summary>As many whole characters as fit, wide ones counted as two.</summary>
    private static string Cut(string text, int columns)
    {
        int end = 0;
        for (int used = 0; end < text.Length; end += StringInfo.GetNextTextElementLength(text, end))
        {
            used += StringInfo.GetNextTextElement(text, end).GetCellWidth();
            if (used > columns)
            {
                break;
            }
        }

        return text[..end];
    }
}
