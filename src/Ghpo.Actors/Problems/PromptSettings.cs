using System.ComponentModel.DataAnnotations;

namespace Ghpo.Problems;

/// <summary>ghpo.prompt</summary>
/// <param name="Template">auto, a built-in template's name, or a file (<see cref="PromptTemplate.Resolve"/>).</param>
public sealed record PromptSettings(
    string Template, string System, [property: Range(1, int.MaxValue)] int MaxTokens, TooLong TooLong, string HintIntroduction);

/// <summary>What happens to a problem whose prompt is too long even without a hint.</summary>
public enum TooLong
{
    /// <summary>The run does not start.</summary>
    Refuse,

    /// <summary>The problem is left out, and counted.</summary>
    Skip,
}
