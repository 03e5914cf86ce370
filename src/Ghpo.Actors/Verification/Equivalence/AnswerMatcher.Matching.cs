using System.Collections.Immutable;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Equivalence;

/// <summary>Lists and sets whose order does not matter.</summary>
internal sealed partial class AnswerMatcher
{
    private ImmutableArray<Expr> Distinct(ImmutableArray<Expr> items)
    {
        if (items.Length > MaxItems)
        {
            return items;
        }

        var distinct = ImmutableArray.CreateBuilder<Expr>();
        foreach (Expr item in items)
        {
            if (!distinct.Any(other => Equal(other, item) is true))
            {
                distinct.Add(item);
            }
        }

        return distinct.ToImmutable();
    }

    /// <summary>Whether the items can be paired off, each with an equal one: bipartite matching by augmenting paths.</summary>
    private bool? Matching(ImmutableArray<Expr> a, ImmutableArray<Expr> b)
    {
        if (a.Length != b.Length)
        {
            return false;
        }

        if (a.Length > MaxItems)
        {
            return ManyNumbersEqual(a, b);
        }

        var known = new bool?[a.Length, b.Length];
        var asked = new bool[a.Length, b.Length];
        bool undecided = false;
        int[] partner = new int[b.Length];
        Array.Fill(partner, -1);
        for (int i = 0; i < a.Length; i++)
        {
            if (!Augment(i, new bool[b.Length]))
            {
                return undecided ? null : false;
            }
        }

        return true;

        bool Augment(int i, bool[] seen)
        {
            // The same place first: lists are mostly in the same order.
            for (int k = 0; k < b.Length; k++)
            {
                int j = (i + k) % b.Length;
                if (seen[j] || !Same(i, j))
                {
                    continue;
                }

                seen[j] = true;
                if (partner[j] < 0 || Augment(partner[j], seen))
                {
                    partner[j] = i;
                    return true;
                }
            }

            return false;
        }

        bool Same(int i, int j)
        {
            if (!asked[i, j])
            {
                asked[i, j] = true;
                known[i, j] = Equal(a[i], b[j]);
                undecided |= known[i, j] is null;
            }

            return known[i, j] is true;
        }
    }

    /// <summary>Long lists are compared only if they are of exact numbers.</summary>
    private static bool? ManyNumbersEqual(ImmutableArray<Expr> a, ImmutableArray<Expr> b)
    {
        if (!a.All(item => item is Number) || !b.All(item => item is Number))
        {
            return null;
        }

        var counts = new Dictionary<Rational, int>();
        foreach (Expr item in a)
        {
            Rational value = ((Number)item).Value;
            counts[value] = counts.GetValueOrDefault(value) + 1;
        }

        return b.All(item => counts.TryGetValue(((Number)item).Value, out int left) && (counts[((Number)item).Value] = left - 1) >= 0);
    }
}
