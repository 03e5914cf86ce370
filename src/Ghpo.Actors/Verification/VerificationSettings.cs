using System.ComponentModel.DataAnnotations;

namespace Ghpo.Verification;

/// <summary>ghpo.verification</summary>
/// <param name="OnNodes">Verifier nodes judge, where there are any.</param>
/// <param name="Precision">Decimals to which an answer written as a decimal must agree.</param>
public sealed record VerificationSettings(
    [property: Range(1, 1024)] int Workers, bool OnNodes, AnswerMarker Extraction, [property: Range(1, 100)] int Precision);

/// <summary>The marker that an answer counts behind.</summary>
public enum AnswerMarker
{
    /// <summary>The last explicit marker, of whatever kind.</summary>
    Any,
    Boxed,
    AnswerTag,
    Gsm8k,

    /// <summary>As Any; where there is no marker, the last formula or number.</summary>
    Lenient,
}
