namespace Ghpo.Verification.Numerics;

/// <summary>
/// Work left for one comparison. A unit is about a word operation of a big number, some nanoseconds; the same comparison always takes the same number of
/// them, so that a verdict does not depend on the machine or its load.
/// </summary>
internal sealed class Budget(long units)
{
    /// <summary>Enough for every ordinary answer, and spent within some tens of milliseconds.</summary>
    public const long Default = 3_000_000;

    private long _left = units;

    public bool IsSpent => _left <= 0;

    /// <returns>False once the budget is spent.</returns>
    public bool Spend(long cost)
    {
        _left -= cost;
        return _left > 0;
    }
}
