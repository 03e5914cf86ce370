using FsCheck;
using FsCheck.Fluent;
using Ghpo.Learning;
using Xunit;

namespace Ghpo.Tests.Learning;

public sealed class MicroBatchesTests
{
    [Fact]
    public void Rows_of_like_length_go_together_under_the_token_budget()
    {
        // Longest first: 9 + 8 padded to 2 · 9 = 18 > 16, so 9 goes alone; then 8 + 4 → 16; then 3 + 3 + 1 → 9.
        IReadOnlyList<int[]> packed = MicroBatches.Pack([3, 9, 1, 8, 3, 4], tokenBudget: 16);

        Assert.Equal([[1], [3, 5], [0, 4, 2]], packed);
    }

    [Fact]
    public void A_row_longer_than_the_budget_goes_alone()
    {
        Assert.Equal([[1], [0]], MicroBatches.Pack([5, 40], tokenBudget: 16));
    }

    [Fact]
    public void Every_row_is_packed_once_and_padding_counts_against_the_budget()
    {
        var lengths = Gen.Choose(1, 60).ListOf().Select(list => list.ToArray());
        Prop.ForAll(lengths.ToArbitrary(), Gen.Choose(1, 200).ToArbitrary(), (rows, budget) =>
        {
            IReadOnlyList<int[]> packed = MicroBatches.Pack(rows, budget);
            return packed.SelectMany(part => part).Order().SequenceEqual(Enumerable.Range(0, rows.Length))
                && packed.All(part => part.Length == 1 || part.Length * part.Max(i => rows[i]) <= budget);
        }).QuickCheckThrowOnFailure();
    }
}
