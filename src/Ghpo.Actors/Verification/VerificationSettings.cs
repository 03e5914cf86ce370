using System.ComponentModel.DataAnnotations;

namespace Ghpo.Verification;

/// <summary>ghpo.verification</summary>
public sealed record VerificationSettings([property: Range(1, 1024)] int Workers, AnswerMarker Extraction);

/// <summary>The marker that an answer counts behind.</summary>
public enum AnswerMarker
{
    Any,
    Boxed,
    AnswerTag,
    Gsm8k,
}
