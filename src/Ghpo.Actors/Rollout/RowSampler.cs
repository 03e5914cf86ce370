using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Ghpo.Models.Simd;

namespace Ghpo.Rollout;

/// <summary>
/// <see cref="TokenSampler"/>'s rule for one row on the host: with p = softmax(z / τ), the token is the first v with Σ p(0..v) &gt; u · Σ p.
/// Sums are float64, in parts of <see cref="Part"/> tokens.
/// </summary>
internal static class RowSampler
{
    private const int Part = 256;

    /// <param name="logits">z, <c>[V]</c>.</param>
    /// <param name="room">Room for <c>[V]</c>.</param>
    internal static DrawnToken Draw(ReadOnlySpan<float> logits, Span<float> room, RowInput input)
    {
        (int mostLikely, bool finite) = Survey(logits);
        if (!finite)
        {
            return new DrawnToken(0, float.NaN, IsFinite: false);
        }

        bool greedy = input.Temperature == 0;
        float temperature = greedy ? 1 : (float)input.Temperature;
        float largest = logits[mostLikely] / temperature;
        Exponentials(logits, temperature, largest, room);
        double all = Sum(room);
        int token = mostLikely;
        if (!greedy)
        {
            double total = all;
            if (input.TopK < logits.Length || input.TopP < 1)
            {
                Restrict(room, input.TopK, input.TopP);
                total = Sum(room);
            }

            token = FirstBeyond(room, total * input.Uniform);
        }

        return new DrawnToken(token, (float)(logits[token] / temperature - largest - Math.Log(all)), IsFinite: true);
    }

    /// <summary>The first of the largest logits, and whether all are finite: x · 0 is 0 for finite x, and NaN for others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (int MostLikely, bool IsFinite) Survey(ReadOnlySpan<float> logits)
    {
        Vector512<float> zeros = Vector512<float>.Zero;
        Vector512<float> most = Vector512.Create(float.NegativeInfinity);
        ref float start = ref MemoryMarshal.GetReference(logits);
        int i = 0;
        for (; i + 16 <= logits.Length; i += 16)
        {
            Vector512<float> part = Vector512.LoadUnsafe(ref start, (nuint)i);
            zeros += part * Vector512<float>.Zero;
            most = Vector512.Max(most, part);
        }

        float rest = Vector512.Sum(zeros);
        float largest = float.NegativeInfinity;
        for (int lane = 0; lane < 16; lane++)
        {
            largest = MathF.Max(largest, most[lane]);
        }

        for (; i < logits.Length; i++)
        {
            rest += logits[i] * 0;
            largest = MathF.Max(largest, logits[i]);
        }

        return rest == 0 ? (logits.IndexOf(largest), true) : (0, false);
    }

    /// <summary>e^(z/τ − largest).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Exponentials(ReadOnlySpan<float> logits, float temperature, float largest, Span<float> to)
    {
        ref float from = ref MemoryMarshal.GetReference(logits);
        ref float target = ref MemoryMarshal.GetReference(to);
        int i = 0;
        for (; i + 16 <= logits.Length; i += 16)
        {
            Vector512<float> shifted = Vector512.LoadUnsafe(ref from, (nuint)i) / Vector512.Create(temperature) - Vector512.Create(largest);
            VectorMath.Exp(shifted).StoreUnsafe(ref target, (nuint)i);
        }

        for (; i < logits.Length; i++)
        {
            to[i] = VectorMath.Exp(Vector512.Create(logits[i] / temperature - largest))[0];
        }
    }

    private static double Sum(ReadOnlySpan<float> values)
    {
        double sum = 0;
        for (int start = 0; start < values.Length; start += Part)
        {
            sum += SumOfPart(values.Slice(start, Math.Min(Part, values.Length - start)));
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SumOfPart(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values)
        {
            sum += value;
        }

        return sum;
    }

    /// <summary>The first token at which the cumulative sum exceeds <paramref name="target"/>, which is less than the sum of all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int FirstBeyond(ReadOnlySpan<float> values, double target)
    {
        double before = 0;
        int last = 0;
        for (int start = 0; start < values.Length; start += Part)
        {
            ReadOnlySpan<float> part = values.Slice(start, Math.Min(Part, values.Length - start));
            double sum = SumOfPart(part);
            if (before + sum > target)
            {
                double within = 0;
                for (int i = 0; i < part.Length; i++)
                {
                    within += part[i];
                    last = part[i] > 0 ? start + i : last;
                    if (before + within > target)
                    {
                        return start + i;
                    }
                }

                // Rounding alone can lead here.
                return last;
            }

            before += sum;
        }

        return values.LastIndexOfAnyExcept(0f);
    }

    /// <summary>Top-k and top-p as <see cref="TokenSampler"/> does them: tokens as likely as the last one kept are kept too.</summary>
    private static void Restrict(Span<float> values, int topK, double topP)
    {
        float[] ranked = values.ToArray();
        Array.Sort(ranked);
        Array.Reverse(ranked);
        int kept = Math.Min(topK, ranked.Length);
        double ofTopK = Sum(ranked.AsSpan(0, kept));
        double before = 0;
        float least = ranked[0];
        for (int i = 0; i < kept && before < ofTopK * topP; i++)
        {
            least = ranked[i];
            before += ranked[i];
        }

        for (int i = 0; i < values.Length; i++)
        {
            values[i] = values[i] < least ? 0 : values[i];
        }
    }
}
