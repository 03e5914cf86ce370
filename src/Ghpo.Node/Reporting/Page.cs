using System.Net;
using System.Text;

namespace Ghpo.Node.Reporting;

/// <summary>An HTML page that holds everything itself, images included, and loads nothing from anywhere.</summary>
internal sealed class Page
{
    private const string Style = """
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff; }
        h1, h2 { font-weight: 600; }
        table { border-collapse: collapse; margin: 1rem 0; }
        td, th { padding: .2rem .8rem; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
        td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
        img { max-width: 100%; border: 1px solid #ddd; }
        p.note { color: #666; }
        pre { background: #f6f6f6; padding: 1rem; overflow: auto; }
        """;

    private readonly StringBuilder _html = new();

    public Page(string title)
    {
        _html.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>").Append(Escape(title)).Append(" · ghpo</title>\n<style>\n")
            .Append(Style).Append("\n</style></head>\n<body>\n<h1>").Append(Escape(title)).Append("</h1>\n");
    }

    public void Heading(string text) => Element("h2", text);

    public void Text(string text) => Element("p", text);

    public void Note(string text) => _html.Append("<p class=\"note\">").Append(Escape(text)).Append("</p>\n");

    public void Listing(string text) => Element("pre", text);

    public void Image(string title, string pngFile) => _html.Append("<img alt=\"").Append(Escape(title)).Append("\" src=\"data:image/png;base64,")
        .Append(Convert.ToBase64String(File.ReadAllBytes(pngFile))).Append("\">\n");

    /// <param name="head">Under a heading, but the first, stand numbers; without one (empty), words.</param>
    /// <param name="words">The first column of which that is not so: words stand there again.</param>
    public void Table(string[] head, IEnumerable<string[]> rows, int words = int.MaxValue)
    {
        _html.Append("<table>\n");
        if (head.Length > 0)
        {
            Row(head, "th", words);
        }

        foreach (string[] row in rows)
        {
            Row(row, "td", head.Length > 0 ? words : 0);
        }

        _html.Append("</table>\n");
    }

    public override string ToString() => _html + "</body></html>\n";

    private void Element(string tag, string text) => _html.Append('<').Append(tag).Append('>').Append(Escape(text)).Append("</").Append(tag).Append(">\n");

    private void Row(string[] cells, string tag, int words)
    {
        _html.Append("<tr>");
        for (int i = 0; i < cells.Length; i++)
        {
            _html.Append('<').Append(tag).Append(i > 0 && i < words ? " class=\"n\">" : ">").Append(Escape(cells[i])).Append("</").Append(tag).Append('>');
        }

        _html.Append("</tr>\n");
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
