using System.ComponentModel.DataAnnotations;

namespace Ghpo.Problems;

/// <summary>ghpo.prompt</summary>
public sealed record PromptSettings(
    TemplateKind Template, string System, [property: Range(1, int.MaxValue)] int MaxTokens, string HintIntroduction);

public enum TemplateKind
{
    Auto,
    Chatml,
    Compact,
}
