using System.ComponentModel.DataAnnotations;

namespace Ghpo.Problems;

/// <summary>ghpo.prompt</summary>
public sealed record PromptSettings(
    TemplateKind Template, string System, [property: Range(1, int.MaxValue)] int MaxTokens, TooLong TooLong, string HintIntroduction);

public enum TemplateKind
{
    Auto,
    Chatml,
    Compact,
}

/// <summary>What happens to a problem whose prompt is too long even without a hint.</summary>
public enum TooLong
{
    /// <summary>The run does not start.</summary>
    Refuse,

    /// <summary>The problem is left out, and counted.</summary>
    Skip,
}
