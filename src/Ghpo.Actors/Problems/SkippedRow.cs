namespace Ghpo.Problems;

/// <summary>A record of the data that is neither trained on nor measured on.</summary>
/// <param name="Line">Line, or row of a Parquet file, from 1; 0 where the reason names the problem instead.</param>
public sealed record SkippedRow(string File, int Line, string Reason)
{
    /// <summary>One line for the user: how many rows are left out, and the first of them with its reason. Null for none.</summary>
    public static string? Describe(IReadOnlyList<SkippedRow> skipped)
    {
        ArgumentNullException.ThrowIfNull(skipped);
        return skipped switch
        {
            [] => null,
            [var only] => FormattableString.Invariant($"1 problem left out: {only}"),
            [var first, ..] => FormattableString.Invariant($"{skipped.Count:N0} problems left out; the first: {first}"),
        };
    }

    public override string ToString() =>
        Line == 0 ? $"{File}: {Reason}" : FormattableString.Invariant($"{File}, {(File.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase) ? "row" : "line")} {Line}: {Reason}");
}
