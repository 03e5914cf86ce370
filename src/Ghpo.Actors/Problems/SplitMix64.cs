namespace Ghpo.Problems;

/// <summary>
/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014). Its sequence is fixed by its seed for
/// good, which <see cref="Random"/> does not promise across .NET versions. A mutable struct: pass it by reference.
/// </summary>
public struct SplitMix64(ulong seed)
{
    private ulong _state = seed;

    public ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>A number in [0, <paramref name="bound"/>), every one equally likely.</summary>
    public int Below(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);

        // The high word of a 64 x 32 bit product is uniform but for the few low words below (2^64 mod bound) (Lemire 2019).
        ulong range = (ulong)bound;
        ulong rejected = (0UL - range) % range;
        ulong high;
        ulong low;
        do
        {
            high = Math.BigMul(Next(), range, out low);
        }
        while (low < rejected);
        return (int)high;
    }

    /// <summary>The finalizer: a bijection on 64 bits in which every input bit moves every output bit.</summary>
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
