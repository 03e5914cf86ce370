using System.Text.RegularExpressions;
using Ghpo.Configuration;
using Ghpo.Models;

namespace Ghpo.Problems;

/// <summary>What a prompt is made of; "" for what there is none of.</summary>
internal readonly record struct PromptFields(string System, string Problem, string Introduction, string Hint)
{
    internal string Of(string name) => name switch
    {
        "system" => System,
        "problem" => Problem,
        "introduction" => Introduction,
        _ => Hint,
    };
}

/// <summary>
/// A prompt template as text. Everything stands for itself but
/// <code>
/// {{system}} {{problem}} {{introduction}} {{hint}}     the field
/// {{#system}} … {{/system}}                            left out if the field is empty (system or hint)
/// {{^system}} … {{/system}}                            left out unless it is empty
/// {{#trim}} … {{/trim}}                                fields alone, as one text without white space at its ends
/// </code>
/// </summary>
internal sealed partial class TemplateText
{
    private static readonly string[] Fields = ["system", "problem", "introduction", "hint"];
    private static readonly string[] Sections = ["system", "hint", "trim"];

    private readonly List<Node> _nodes;

    private TemplateText(List<Node> nodes) => _nodes = nodes;

    internal bool HasSystem => Walk(_nodes).Any(node => node is { Kind: NodeKind.Field, Text: "system" });

    /// <summary>Special tokens in the template's own text: what is written <c>&lt;|…|></c>.</summary>
    internal IReadOnlyList<string> SpecialTokens =>
        [.. Walk(_nodes).Where(node => node.Kind == NodeKind.Literal).SelectMany(node => SpecialToken().Matches(node.Text)).Select(match => match.Value).Distinct(StringComparer.Ordinal)];

    /// <param name="source">For the message.</param>
    /// <exception cref="UserErrorException">The text is no template; says what stands where.</exception>
    internal static TemplateText Parse(string text, string source)
    {
        var open = new Stack<(Node Section, List<Node> Outer)>();
        var nodes = new List<Node>();
        int end = 0;
        foreach (Match tag in Tag().Matches(text))
        {
            Literal(tag.Index);
            end = tag.Index + tag.Length;
            string mark = tag.Groups[1].Value;
            string name = tag.Groups[2].Value;
            bool trimmed = open.Any(section => section.Section.Text == "trim");
            switch (mark)
            {
                case "" when Fields.Contains(name):
                    nodes.Add(new Node(NodeKind.Field, name, []));
                    break;
                case "#" or "^" when Sections.Contains(name) && !(name == "trim" && (mark == "^" || trimmed)):
                    var section = new Node(mark == "^" ? NodeKind.Unless : name == "trim" ? NodeKind.Trim : NodeKind.If, name, []);
                    nodes.Add(section);
                    open.Push((section, nodes));
                    nodes = section.Children;
                    break;
                case "/" when open.Count > 0 && open.Peek().Section.Text == name:
                    nodes = open.Pop().Outer;
                    break;
                default:
                    throw new UserErrorException(
                        $"{source}: {tag.Value} at character {tag.Index} has no meaning there; known are {string.Join(", ", Fields.Select(field => $"{{{{{field}}}}}"))}, and {{{{#…}}}} or {{{{^…}}}} to {{{{/…}}}} for {string.Join(", ", Sections)}.");
            }
        }

        Literal(text.Length);
        if (open.Count > 0)
        {
            throw new UserErrorException($"{source}: {{{{{(open.Peek().Section.Kind == NodeKind.Unless ? "^" : "#")}{open.Peek().Section.Text}}}}} is never closed.");
        }

        foreach (string field in new[] { "problem", "introduction", "hint" })
        {
            int count = Walk(nodes).Count(node => node.Kind == NodeKind.Field && node.Text == field);
            if (count != 1)
            {
                throw new UserErrorException($"{source}: {{{{{field}}}}} must stand in a prompt template once; it stands there {count} times.");
            }
        }

        return new TemplateText(nodes);

        void Literal(int until)
        {
            if (until == end)
            {
                return;
            }

            if (open.Any(section => section.Section.Text == "trim"))
            {
                throw new UserErrorException($"{source}: character {end} stands inside {{{{#trim}}}}, where only fields may.");
            }

            nodes.Add(new Node(NodeKind.Literal, text[end..until], []));
        }
    }

    internal IReadOnlyList<PromptPart> Render(PromptFields fields)
    {
        var parts = new List<PromptPart>();
        Render(_nodes, fields, parts);
        return parts;
    }

    private static void Render(List<Node> nodes, PromptFields fields, List<PromptPart> parts)
    {
        foreach (Node node in nodes)
        {
            switch (node.Kind)
            {
                case NodeKind.Literal:
                    parts.Add(new PromptPart(node.Text, IsTemplate: true));
                    break;
                case NodeKind.Field:
                    parts.Add(new PromptPart(fields.Of(node.Text), IsTemplate: false));
                    break;
                case NodeKind.Trim:
                    var inside = new List<PromptPart>();
                    Render(node.Children, fields, inside);
                    parts.Add(new PromptPart(string.Concat(inside.Select(part => part.Text)).Trim(), IsTemplate: false));
                    break;
                default:
                    if (fields.Of(node.Text).Length > 0 == (node.Kind == NodeKind.If))
                    {
                        Render(node.Children, fields, parts);
                    }

                    break;
            }
        }
    }

    private static IEnumerable<Node> Walk(IEnumerable<Node> nodes) => nodes.SelectMany(node => Walk(node.Children).Prepend(node));

    [GeneratedRegex(@"\{\{([#^/]?)(\w*)\}\}")]
    private static partial Regex Tag();

    [GeneratedRegex(@"<\|[^|<>]+\|>")]
    private static partial Regex SpecialToken();

    private enum NodeKind
    {
        Literal,
        Field,
        If,
        Unless,
        Trim,
    }

    private sealed record Node(NodeKind Kind, string Text, List<Node> Children);
}
