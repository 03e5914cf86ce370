using Spectre.Console;
using Spectre.Console.Rendering;

namespace Ghpo.Node.Top;

/// <summary>Text in one line, cut where there is no more room. (Spectre's own wraps between words before it cuts.)</summary>
/// <param name="right">At the right of its room; for numbers in a table.</param>
internal sealed class OneLine(string text, Style style, bool right = false) : Renderable
{
    private readonly string _text = text.ReplaceLineEndings(" ");

    protected override Measurement Measure(RenderOptions options, int maxWidth)
    {
        int width = Math.Min(maxWidth, new Segment(_text).CellCount());
        return new Measurement(Math.Min(width, 1), width);
    }

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        int width = new Segment(_text).CellCount();
        string shown = width <= maxWidth ? _text : _text[..Math.Max(0, maxWidth - 1)] + "…";
        return [new Segment(right && width < maxWidth ? new string(' ', maxWidth - width) + shown : shown, style)];
    }
}
