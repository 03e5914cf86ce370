using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ghpo.Models.Simd;

/// <summary>Constants of one AdamW step, in float32.</summary>
/// <param name="Keep">1 − η λ.</param>
/// <param name="Rate">η / (1 − β1^t).</param>
/// <param name="Root">1 / √(1 − β2^t).</param>
internal readonly record struct AdamWConstants(float Beta1, float Beta2, float Epsilon, float Keep, float Rate, float Root);

/// <summary>Where a parameter's numbers lie.</summary>
/// <param name="Weight">The parameter, in its type.</param>
/// <param name="Master">float32; the parameter itself where that is float32.</param>
internal readonly unsafe record struct AdamWMemory(nint Weight, nint Master, nint Gradient, nint Mean, nint Square);

/// <summary>
/// AdamW in one pass over memory, in float32 (formula: <see cref="Learning.AdamWOptimizer"/>). Moments in bfloat16 are rounded up or down at random, in
/// proportion to what is cut off: rounded to nearest, a mean that moves by less than 1/512 of itself a step would stand still. The random bits are a
/// function of seed and element, so the same steps give the same bits.
/// </summary>
internal static unsafe class AdamWKernel<TWeight, TMoment>
    where TWeight : struct, IPackedType
    where TMoment : struct, IPackedType
{
    private static bool Rounds => TMoment.Size == PackedBrain.Size;

    /// <param name="start">The first element, a multiple of 16.</param>
    /// <param name="count">Elements from there on.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run(AdamWMemory memory, long start, long count, AdamWConstants constants, uint seed)
    {
        byte* weight = (byte*)memory.Weight;
        byte* master = (byte*)memory.Master;
        byte* gradient = (byte*)memory.Gradient;
        byte* mean = (byte*)memory.Mean;
        byte* square = (byte*)memory.Square;
        long end = start + count;
        long i = start;
        for (; i + 16 <= end; i += 16)
        {
            Step16(weight + i * TWeight.Size, master + i * 4, gradient + i * TWeight.Size, mean + i * TMoment.Size, square + i * TMoment.Size, constants, seed, (uint)i);
        }

        if (i < end)
        {
            // The last few go through a room of 16.
            byte* room = stackalloc byte[5 * 64];
            new Span<byte>(room, 5 * 64).Clear();
            byte* w = room;
            byte* m = room + 64;
            byte* g = room + 128;
            byte* first = room + 192;
            byte* second = room + 256;
            long left = end - i;
            Copy(weight + i * TWeight.Size, w, left * TWeight.Size);
            Copy(master + i * 4, m, left * 4);
            Copy(gradient + i * TWeight.Size, g, left * TWeight.Size);
            Copy(mean + i * TMoment.Size, first, left * TMoment.Size);
            Copy(square + i * TMoment.Size, second, left * TMoment.Size);
            Step16(w, m, g, first, second, constants, seed, (uint)i);
            Copy(m, master + i * 4, left * 4);
            Copy(w, weight + i * TWeight.Size, left * TWeight.Size);
            Copy(first, mean + i * TMoment.Size, left * TMoment.Size);
            Copy(second, square + i * TMoment.Size, left * TMoment.Size);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step16(byte* weight, byte* master, byte* gradient, byte* mean, byte* square, in AdamWConstants constants, uint seed, uint element)
    {
        Vector512<float> g = TWeight.Load16(gradient);
        Vector512<float> m = TMoment.Load16(mean) * constants.Beta1 + g * (1 - constants.Beta1);
        Vector512<float> v = TMoment.Load16(square) * constants.Beta2 + g * g * (1 - constants.Beta2);
        Vector512<float> denominator = Vector512.Sqrt(v) * constants.Root + Vector512.Create(constants.Epsilon);
        Vector512<float> w = Vector512.Load((float*)master) * constants.Keep - m / denominator * constants.Rate;
        w.Store((float*)master);
        TWeight.Store16(w, weight);
        if (Rounds)
        {
            // The two halves of a word are independent.
            Vector512<uint> random = Mixed(Vector512.Create(seed) ^ (Vector512.Create(element) + Vector512<uint>.Indices));
            PackedBrain.Store16(Truncated(m, random & Vector512.Create(0xFFFFu)), mean);
            PackedBrain.Store16(Truncated(v, random >> 16), square);
        }
        else
        {
            TMoment.Store16(m, mean);
            TMoment.Store16(v, square);
        }
    }

    /// <summary>x + what its lower half needs to carry with probability lower half / 2^16, less the lower half: a bfloat16. Infinity and NaN stay.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Truncated(Vector512<float> x, Vector512<uint> random)
    {
        Vector512<uint> rounded = (x.AsUInt32() + random) & Vector512.Create(0xFFFF0000);
        Vector512<float> finite = Vector512.LessThan(Vector512.Abs(x), Vector512.Create(float.PositiveInfinity));
        return Vector512.ConditionalSelect(finite, rounded.AsSingle(), x);
    }

    /// <summary>A permutation of 32-bit words without visible pattern: xor-shifts and multiplications by odd numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Mixed(Vector512<uint> x)
    {
        x = (x ^ (x >> 16)) * Vector512.Create(0x7FEB352Du);
        x = (x ^ (x >> 15)) * Vector512.Create(0x846CA68Bu);
        return x ^ (x >> 16);
    }

    private static void Copy(byte* from, byte* to, long bytes) => Buffer.MemoryCopy(from, to, bytes, bytes);
}
