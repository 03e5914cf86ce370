using System.Globalization;
using Ghpo.Node.Inspecting;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Ghpo.Node.Top;

/// <summary>Text in one line, cut where there is no more room. (Spectre's own wraps between words before it cuts.)</summary>
/// <param name="right">At the right of its room; for numbers in a table.</param>
internal sealed class OneLine(string text, Style style, bool right = false) : Renderable
{
    private readonly string _text = TerminalText.Of(text).ReplaceLineEndings(" ");

    protected override Measurement Measure(RenderOptions options, int maxWidth)
    {
        int width = Math.Min(maxWidth, new Segment(_text).CellCount());
        return new Measurement(Math.Min(width, 1), width);
    }

    /// <summary>As many whole characters as fit, wide ones counted as two.</summary>
    private string Cut(int columns)
    {
        int end = 0;
        for (int used = 0; end < _text.Length; end += StringInfo.GetNextTextElementLength(_text, end))
        {
            used += StringInfo.GetNextTextElement(_text, end).GetCellWidth();
            if (used > columns)
            {
                break;
            }
        }

        return _text[..end];
    }

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        int width = new Segment(_text).CellCount();
        string shown = width <= maxWidth ? _text : Cut(maxWidth - 1) + "…";
        return [new Segment(right && width < maxWidth ? new string(' ', maxWidth - width) + shown : shown, style)];
    }
}
