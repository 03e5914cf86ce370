using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ghpo.Models.Simd;

/// <summary>
/// Attention of one position over a sequence's cached blocks, for the query heads that share one key head: softmax(q·Kᵀ/√D)·V over exactly the
/// sequence's own positions, summed in their order. Nothing is padded to another sequence's length.
/// <para>
/// Four query heads are done at a time: that is what the latency of a multiply-add leaves room for. Where the group has fewer, its last head is done
/// several times over, to the same result.
/// </para>
/// </summary>
internal static unsafe class AttentionKernel<T>
    where T : struct, IPackedType
{
    private const int HeadsAtOnce = 4;

    /// <param name="query"><c>[group, D]</c></param>
    /// <param name="blocks">Where the sequence's blocks have this layer's and head's keys.</param>
    /// <param name="length">Positions attended to, at least 1.</param>
    /// <param name="shape">D, Dp and the bytes of a head's keys in a block.</param>
    /// <param name="scores">Room for 4 rows of <paramref name="length"/> filled up to 16.</param>
    /// <param name="attended"><c>[group, D]</c></param>
    /// <param name="lane">Room for 4 rows of Dp.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Run(float* query, int group, byte** blocks, int length, in HeadShape shape, float* scores, float* attended, float* lane)
    {
        int padded = PagedCache.Padded(length);
        float scale = 1 / MathF.Sqrt(shape.Size);
        int* heads = stackalloc int[HeadsAtOnce];
        float* factors = stackalloc float[HeadsAtOnce];
        for (int first = 0; first < group; first += HeadsAtOnce)
        {
            for (int i = 0; i < HeadsAtOnce; i++)
            {
                heads[i] = Math.Min(first + i, group - 1);
            }

            Score(query + heads[0] * shape.Size, query + heads[1] * shape.Size, query + heads[2] * shape.Size, query + heads[3] * shape.Size,
                blocks, length, shape.Size, scale, scores, padded);
            for (int i = 0; i < HeadsAtOnce; i++)
            {
                factors[i] = 1 / ExponentialSum(scores + i * padded, padded);
            }

            for (int column = 0; column < shape.ValueStride; column += 16)
            {
                Sum(blocks, length, shape.KeyBytes + column * T.Size, shape.ValueStride, scores, padded, lane + column, shape.ValueStride);
            }

            for (int i = 0; i < HeadsAtOnce; i++)
            {
                float* from = lane + i * shape.ValueStride;
                float* to = attended + heads[i] * shape.Size;
                for (int d = 0; d < shape.Size; d++)
                {
                    to[d] = from[d] * factors[i];
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Score(float* q0, float* q1, float* q2, float* q3, byte** blocks, int length, int size, float scale, float* scores, int padded)
    {
        for (int start = 0; start < length; start += PagedCache.Positions)
        {
            byte* keys = blocks[start / PagedCache.Positions];
            Vector512<float> s0 = Vector512<float>.Zero, s1 = Vector512<float>.Zero, s2 = Vector512<float>.Zero, s3 = Vector512<float>.Zero;
            for (nint d = 0; d < size; d++)
            {
                Vector512<float> key = T.Load16(keys);
                s0 = Vector512.FusedMultiplyAdd(key, Vector512.Create(q0[d]), s0);
                s1 = Vector512.FusedMultiplyAdd(key, Vector512.Create(q1[d]), s1);
                s2 = Vector512.FusedMultiplyAdd(key, Vector512.Create(q2[d]), s2);
                s3 = Vector512.FusedMultiplyAdd(key, Vector512.Create(q3[d]), s3);
                keys += PagedCache.Positions * T.Size;
            }

            // Positions past the end may hold anything; they get the score −∞, a weight of exactly 0.
            Vector512<int> inside = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(length - start));
            Vector512<float> outside = Vector512.Create(float.NegativeInfinity);
            Vector512.ConditionalSelect(inside.AsSingle(), s0 * scale, outside).Store(scores + start);
            Vector512.ConditionalSelect(inside.AsSingle(), s1 * scale, outside).Store(scores + padded + start);
            Vector512.ConditionalSelect(inside.AsSingle(), s2 * scale, outside).Store(scores + 2 * padded + start);
            Vector512.ConditionalSelect(inside.AsSingle(), s3 * scale, outside).Store(scores + 3 * padded + start);
        }
    }

    /// <summary>Replaces scores by e^(s − max s).</summary>
    /// <returns>Their sum.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float ExponentialSum(float* scores, int padded)
    {
        Vector512<float> most = Vector512.Load(scores);
        for (int start = 16; start < padded; start += 16)
        {
            most = Vector512.Max(most, Vector512.Load(scores + start));
        }

        float largest = most[0];
        for (int lane = 1; lane < 16; lane++)
        {
            largest = MathF.Max(largest, most[lane]);
        }

        Vector512<float> sum = Vector512<float>.Zero;
        for (int start = 0; start < padded; start += 16)
        {
            Vector512<float> shifted = Vector512.Load(scores + start) - Vector512.Create(largest);
            Vector512<float> term = Vector512.ConditionalSelect(
                Vector512.Equals(shifted, Vector512.Create(float.NegativeInfinity)), Vector512<float>.Zero, VectorMath.Exp(shifted));
            term.Store(scores + start);
            sum += term;
        }

        return Vector512.Sum(sum);
    }

    /// <summary>16 columns of weights·V for four heads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(byte** blocks, int length, long offset, int valueStride, float* weights, int padded, float* to, int stride)
    {
        Vector512<float> s0 = Vector512<float>.Zero, s1 = Vector512<float>.Zero, s2 = Vector512<float>.Zero, s3 = Vector512<float>.Zero;
        for (int start = 0; start < length; start += PagedCache.Positions)
        {
            byte* values = blocks[start / PagedCache.Positions] + offset;
            float* weight = weights + start;
            int end = Math.Min(PagedCache.Positions, length - start);
            for (nint t = 0; t < end; t++)
            {
                Vector512<float> value = T.Load16(values);
                s0 = Vector512.FusedMultiplyAdd(value, Vector512.Create(weight[t]), s0);
                s1 = Vector512.FusedMultiplyAdd(value, Vector512.Create(weight[padded + t]), s1);
                s2 = Vector512.FusedMultiplyAdd(value, Vector512.Create(weight[2 * padded + t]), s2);
                s3 = Vector512.FusedMultiplyAdd(value, Vector512.Create(weight[3 * padded + t]), s3);
                values += valueStride * T.Size;
            }
        }

        s0.Store(to);
        s1.Store(to + stride);
        s2.Store(to + 2 * stride);
        s3.Store(to + 3 * stride);
    }
}

/// <param name="Size">D.</param>
/// <param name="ValueStride">Dp.</param>
/// <param name="KeyBytes">Bytes of a head's keys in a block.</param>
internal readonly record struct HeadShape(int Size, int ValueStride, long KeyBytes);
