namespace Ghpo.Verification.Numerics;

/// <summary>
/// Work left for one comparison. A unit is about 0.1 to 0.2 µs of work; the same comparison always takes the same number of them, so that a verdict does
/// not depend on the machine or its load.
/// </summary>
/// <param name="whole">What the units are a share of; null for a whole of its own.</param>
internal sealed class Budget(long units, Budget? whole = null)
{
    /// <summary>Enough for every ordinary answer, and spent within about 50 ms.</summary>
    public const long Default = 100_000;

    private long _left = units;

    /// <summary>What an operation of arithmetic costs at a precision, in bits.</summary>
    public static long Arithmetic(int precision) => 1 + (precision / 256) + ((long)precision * precision / 65_536);

    /// <summary>What an elementary function costs at a precision, in bits.</summary>
    public static long Function(int precision) => 40 + (precision / 2) + ((long)precision * precision / 1_024);

    public bool IsSpent => _left <= 0;

    /// <summary>A third of what is left, for an attempt that must not use up the rest.</summary>
    public Budget Share() => new(_left / 3, this);

    /// <returns>False once the budget is spent.</returns>
    public bool Spend(long cost)
    {
        _left -= cost;
        return (whole is null || whole.Spend(cost)) && _left > 0;
    }
}
