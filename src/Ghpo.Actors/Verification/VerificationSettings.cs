using System.ComponentModel.DataAnnotations;
using Ghpo.Verification.Extraction;

namespace Ghpo.Verification;

/// <summary>ghpo.verification</summary>
/// <param name="Precision">Decimals to which an answer written as a decimal must agree.</param>
public sealed record VerificationSettings(
    [property: Range(1, 1024)] int Workers, AnswerMarker Extraction, [property: Range(1, 100)] int Precision);
