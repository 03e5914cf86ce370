namespace Ghpo.Learning;

/// <summary>
/// Packs rows into right-padded [B, T] micro-batches, T being the longest row of each. Rows of like length go together, so little is padding.
/// </summary>
public static class MicroBatches
{
    /// <summary>
    /// Index lists over <paramref name="lengths"/>, each with B · T ≤ <paramref name="tokenBudget"/>, except that a row longer than the
    /// budget goes alone. Longest first: what does not fit into memory shows in the first micro-batch. The same lengths give the same packing.
    /// </summary>
    public static IReadOnlyList<int[]> Pack(IReadOnlyList<int> lengths, int tokenBudget)
    {
        int[] order = [.. Enumerable.Range(0, lengths.Count).OrderByDescending(i => lengths[i]).ThenBy(i => i)];
        var batches = new List<int[]>();
        int start = 0;
        while (start < order.Length)
        {
            int rows = Math.Clamp(tokenBudget / Math.Max(1, lengths[order[start]]), 1, order.Length - start);
            batches.Add(order[start..(start + rows)]);
            start += rows;
        }

        return batches;
    }
}
