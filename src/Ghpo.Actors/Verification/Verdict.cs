namespace Ghpo.Verification;

/// <summary>What the verifier found. Infrastructure failures never look like wrong answers.</summary>
public enum Verdict
{
    Correct,

    /// <summary>An answer was found and differs from the reference.</summary>
    Wrong,

    /// <summary>The completion ended without an answer that can be read.</summary>
    Malformed,

    /// <summary>The completion was cut at the longest allowed length before an answer.</summary>
    Truncated,

    /// <summary>The reference or the answer is beyond what the verifier decides. Left out of advantages.</summary>
    Unverifiable,

    /// <summary>The verifier itself failed. Left out of advantages.</summary>
    VerifierFailed,
}

/// <summary>What a verdict means for training.</summary>
public static class Verdicts
{
    /// <summary>True if it is about the answer, and not about the verifier: only then may the answer take part in advantages.</summary>
    public static bool Counts(this Verdict verdict) => verdict is not (Verdict.Unverifiable or Verdict.VerifierFailed);
}

/// <summary>The verdict on one completion, with its reason for logs.</summary>
/// <param name="Format">True if the completion has the required form; true where no form is required.</param>
public sealed record Judgement(Verdict Verdict, bool Format, string Reason)
{
    /// <summary>The score of the user's own reward; 0 where there is none.</summary>
    public double OwnScore { get; init; }

    /// <summary>True if the completion may take part in advantages.</summary>
    public bool Counts => Verdict.Counts();
}
