namespace Ghpo.Problems;

/// <summary>Why a record is left out; the wording is that of <see cref="SkippedRow.Describe"/>.</summary>
public enum SkipCause
{
    /// <summary>Without a problem text or an answer it makes no problem.</summary>
    Incomplete,

    /// <summary>A training problem that is also measured on.</summary>
    HeldOut,

    /// <summary>Longer than ghpo.prompt.max-tokens even without a hint.</summary>
    TooLong,
}

/// <summary>A record of the data that is left out.</summary>
/// <param name="Line">Line, or row of a Parquet file, from 1; 0 where the reason names the problem instead.</param>
public sealed record SkippedRow(string File, int Line, SkipCause Cause, string Reason)
{
    /// <summary>One line for the user: how many rows are left out, for which causes, and the first of them. Null for none.</summary>
    public static string? Describe(IReadOnlyList<SkippedRow> skipped)
    {
        ArgumentNullException.ThrowIfNull(skipped);
        if (skipped.Count == 0)
        {
            return null;
        }

        IEnumerable<string> causes = skipped.GroupBy(row => row.Cause).OrderBy(rows => rows.Key)
            .Select(rows => FormattableString.Invariant($"{rows.Count():N0} {Words(rows.Key)}"));
        return $"left out: {string.Join(", ", causes)}; the first: {skipped[0]}";
    }

    public override string ToString()
    {
        string unit = File.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase) ? "row" : "line";
        return Line == 0 ? Reason : FormattableString.Invariant($"{File}, {unit} {Line}: {Reason}");
    }

    private static string Words(SkipCause cause) => cause switch
    {
        SkipCause.Incomplete => "without problem or answer",
        SkipCause.HeldOut => "held out as well",
        SkipCause.TooLong => "longer than the prompt may be",
        _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "Unknown cause."),
    };
}
