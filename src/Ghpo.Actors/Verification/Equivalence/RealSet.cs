using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Equivalence;

/// <summary>From Low to High; a single point has both ends closed and equal.</summary>
internal readonly record struct Interval(Expr Low, Expr High, bool LowClosed, bool HighClosed)
{
    public static readonly Interval Everything = new(RealSet.MinusInfinity, Constant.Infinity, false, false);

    public static Interval Point(Expr at) => new(at, at, true, true);
}

/// <summary>
/// A set of real numbers as intervals. Where all ends are constants they are kept sorted and disjoint; ends with symbols stay as they are written.
/// </summary>
/// <param name="Variable">The unknown of the inequality that the set comes from; "" if it has none.</param>
internal sealed record RealSet(IReadOnlyList<Interval> Intervals, string Variable)
{
    /// <summary>Sets of more pieces are not compared.</summary>
    public const int MaxIntervals = 64;

    public static readonly Expr MinusInfinity = new Product([Expr.MinusOne, Constant.Infinity]);

    public static RealSet Of(string variable, params IReadOnlyList<Interval> intervals) => new(intervals, variable);
}

/// <summary>Algebra of sets of real numbers. Null where ends cannot be ordered.</summary>
internal sealed class RealSetAlgebra(ScalarComparer scalars)
{
    public RealSet? Union(RealSet a, RealSet b) => a.Intervals.Count + b.Intervals.Count > RealSet.MaxIntervals ? null
        : Normalize(new RealSet([.. a.Intervals, .. b.Intervals], Name(a, b)));

    public RealSet? Intersection(RealSet a, RealSet b)
    {
        if (a.Intervals.Count * b.Intervals.Count > RealSet.MaxIntervals)
        {
            return null;
        }

        var pieces = new List<Interval>();
        foreach (Interval x in a.Intervals)
        {
            foreach (Interval y in b.Intervals)
            {
                if (Order(x.Low, y.Low) is not int low || Order(x.High, y.High) is not int high)
                {
                    return null;
                }

                pieces.Add(new Interval(
                    low >= 0 ? x.Low : y.Low,
                    high <= 0 ? x.High : y.High,
                    low > 0 ? x.LowClosed : low < 0 ? y.LowClosed : x.LowClosed && y.LowClosed,
                    high < 0 ? x.HighClosed : high > 0 ? y.HighClosed : x.HighClosed && y.HighClosed));
            }
        }

        return Normalize(new RealSet(pieces, Name(a, b)));
    }

    public RealSet? Difference(RealSet a, RealSet b) => Complement(b) is RealSet rest ? Intersection(a, rest) : null;

    /// <summary>Sorted, disjoint, without empty pieces; unchanged where an end has symbols.</summary>
    public RealSet? Normalize(RealSet set)
    {
        if (set.Intervals.Count > RealSet.MaxIntervals)
        {
            return null;
        }

        var kept = new List<Interval>();
        foreach (Interval interval in set.Intervals)
        {
            if (Order(interval.Low, interval.High) is not int order)
            {
                return set.Intervals.Count == 1 ? set : null;
            }

            if (order < 0 || (order == 0 && interval.LowClosed && interval.HighClosed))
            {
                kept.Add(interval);
            }
        }

        bool unknown = false;
        kept.Sort((x, y) =>
        {
            int? order = Order(x.Low, y.Low);
            unknown |= order is null;
            return order is int known and not 0 ? known : y.LowClosed.CompareTo(x.LowClosed);
        });
        var merged = new List<Interval>();
        foreach (Interval next in kept)
        {
            if (merged.Count == 0)
            {
                merged.Add(next);
                continue;
            }

            Interval last = merged[^1];
            if (Order(last.High, next.Low) is not int gap || Order(last.High, next.High) is not int ends)
            {
                return null;
            }

            if (gap < 0 || (gap == 0 && !last.HighClosed && !next.LowClosed))
            {
                merged.Add(next);
            }
            else
            {
                merged[^1] = new Interval(last.Low, ends >= 0 ? last.High : next.High, last.LowClosed, ends > 0 ? last.HighClosed : ends < 0 ? next.HighClosed : last.HighClosed || next.HighClosed);
            }
        }

        return unknown ? null : set with { Intervals = merged };
    }

    public bool? Equal(RealSet a, RealSet b)
    {
        if (a.Variable.Length > 0 && b.Variable.Length > 0 && a.Variable != b.Variable)
        {
            return false;
        }

        if (Normalize(a) is not RealSet x || Normalize(b) is not RealSet y || x.Intervals.Count != y.Intervals.Count)
        {
            return SamePieces(a, b);
        }

        bool? equal = true;
        for (int i = 0; i < x.Intervals.Count && equal is not false; i++)
        {
            equal = Both(equal, EndsEqual(x.Intervals[i], y.Intervals[i]));
        }

        return equal;
    }

    /// <summary>Ends with symbols: the same pieces in the same order.</summary>
    private bool? SamePieces(RealSet a, RealSet b) => a.Intervals.Count != b.Intervals.Count || a.Intervals.Count == 1 ? false
        : a.Intervals.Zip(b.Intervals, EndsEqual).Aggregate((bool?)true, Both);

    internal static bool? Both(bool? a, bool? b) => a is false || b is false ? false : a is null || b is null ? null : true;

    private bool? EndsEqual(Interval a, Interval b) =>
        a.LowClosed != b.LowClosed || a.HighClosed != b.HighClosed
            ? false
            : Both(scalars.Equal(a.Low, b.Low), scalars.Equal(a.High, b.High));

    private RealSet? Complement(RealSet set)
    {
        if (Normalize(set) is not RealSet normal)
        {
            return null;
        }

        var gaps = new List<Interval>();
        Expr from = RealSet.MinusInfinity;
        bool closed = false;
        foreach (Interval interval in normal.Intervals)
        {
            gaps.Add(new Interval(from, interval.Low, closed, !interval.LowClosed));
            (from, closed) = (interval.High, !interval.HighClosed);
        }

        gaps.Add(new Interval(from, Constant.Infinity, closed, false));
        gaps.RemoveAll(gap => (Simplifier.InfinitySign(gap.Low) > 0) || (Simplifier.InfinitySign(gap.High) < 0));
        return Normalize(set with { Intervals = gaps });
    }

    /// <summary>Sign of a − b; null if it cannot be told.</summary>
    private int? Order(Expr a, Expr b)
    {
        int x = Simplifier.InfinitySign(a);
        int y = Simplifier.InfinitySign(b);
        return x != 0 || y != 0 ? x.CompareTo(y) : scalars.Sign(Expr.Subtract(a, b));
    }

    private static string Name(RealSet a, RealSet b) => a.Variable.Length > 0 ? a.Variable : b.Variable;
}
