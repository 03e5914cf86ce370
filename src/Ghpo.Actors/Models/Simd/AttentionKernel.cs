using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ghpo.Models.Simd;

/// <summary>
/// Attention of one position over a sequence's cached blocks, for the query heads that share one key head: softmax(q·Kᵀ/√D)·V over exactly the
/// sequence's own positions, summed in their order. Nothing is padded to another sequence's length.
/// <para>
/// Four query heads are done at a time, for 32 positions and then for 32 columns of values: eight sums, which is what the latency of a multiply-add leaves room
/// for. Where there are fewer heads, positions or columns, the last ones are done several times over, to the same result. Meanwhile what comes next is fetched into the cache.
/// </para>
/// </summary>
internal static unsafe class AttentionKernel<T>
    where T : struct, IPackedType
{
    private const int HeadsAtOnce = 4;

    /// <param name="query"><c>[group, D]</c></param>
    /// <param name="blocks">Where the sequence's blocks have this layer's and head's keys; one entry more: what to fetch when these are done.</param>
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

            for (int block = 0; block < PagedCache.BlocksOf(length); block += 2)
            {
                Score(query + heads[0] * shape.Size, query + heads[1] * shape.Size, query + heads[2] * shape.Size, query + heads[3] * shape.Size,
                    blocks, block, length, shape, scale, scores, padded);
            }

            for (int i = 0; i < HeadsAtOnce; i++)
            {
                factors[i] = 1 / ExponentialSum(scores + i * padded, padded);
            }

            for (int column = 0; column < shape.ValueStride; column += 32)
            {
                Sum(blocks, length, shape, column, scores, padded, lane);
            }

            for (int i = 0; i < HeadsAtOnce; i++)
            {
                Scale(lane + i * shape.ValueStride, factors[i], attended + heads[i] * shape.Size, shape.Size);
            }
        }
    }

    /// <summary>Scores of four heads in a block of positions and in the one after it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Score(float* q0, float* q1, float* q2, float* q3, byte** blocks, int block, int length, in HeadShape shape, float scale, float* scores, int padded)
    {
        int last = PagedCache.BlocksOf(length) - 1;
        int other = Math.Min(block + 1, last);
        byte* first = blocks[block];
        byte* second = blocks[other];
        byte* next = blocks[Math.Min(block + 2, last + 1)];
        byte* after = blocks[Math.Min(block + 3, last + 1)];
        nint values = (nint)shape.KeyBytes;
        Vector512<float> a0 = Vector512<float>.Zero, a1 = Vector512<float>.Zero, a2 = Vector512<float>.Zero, a3 = Vector512<float>.Zero;
        Vector512<float> b0 = Vector512<float>.Zero, b1 = Vector512<float>.Zero, b2 = Vector512<float>.Zero, b3 = Vector512<float>.Zero;
        for (nint d = 0; d < shape.Size; d++)
        {
            nint key = d * PagedCache.Positions * T.Size;
            Sse.Prefetch0(next + key);
            Sse.Prefetch0(after + key);
            Sse.Prefetch1(first + values + key);
            Sse.Prefetch1(second + values + key);
            Vector512<float> a = T.Load16(first + key);
            Vector512<float> b = T.Load16(second + key);
            Vector512<float> query = Vector512.Create(q0[d]);
            a0 = Vector512.FusedMultiplyAdd(a, query, a0);
            b0 = Vector512.FusedMultiplyAdd(b, query, b0);
            query = Vector512.Create(q1[d]);
            a1 = Vector512.FusedMultiplyAdd(a, query, a1);
            b1 = Vector512.FusedMultiplyAdd(b, query, b1);
            query = Vector512.Create(q2[d]);
            a2 = Vector512.FusedMultiplyAdd(a, query, a2);
            b2 = Vector512.FusedMultiplyAdd(b, query, b2);
            query = Vector512.Create(q3[d]);
            a3 = Vector512.FusedMultiplyAdd(a, query, a3);
            b3 = Vector512.FusedMultiplyAdd(b, query, b3);
        }

        Keep(a0, a1, a2, a3, block * PagedCache.Positions, length, scale, scores, padded);
        Keep(b0, b1, b2, b3, other * PagedCache.Positions, length, scale, scores, padded);
    }

    /// <summary>Positions past the end may hold anything; they get the score −∞, a weight of exactly 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Keep(Vector512<float> s0, Vector512<float> s1, Vector512<float> s2, Vector512<float> s3, int start, int length, float scale, float* scores, int padded)
    {
        Vector512<int> inside = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(length - start));
        Vector512<float> outside = Vector512.Create(float.NegativeInfinity);
        Vector512.ConditionalSelect(inside.AsSingle(), s0 * scale, outside).Store(scores + start);
        Vector512.ConditionalSelect(inside.AsSingle(), s1 * scale, outside).Store(scores + padded + start);
        Vector512.ConditionalSelect(inside.AsSingle(), s2 * scale, outside).Store(scores + 2 * padded + start);
        Vector512.ConditionalSelect(inside.AsSingle(), s3 * scale, outside).Store(scores + 3 * padded + start);
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

        Vector512<float> largest = Vector512.Create(Largest(most));
        Vector512<float> sum = Vector512<float>.Zero;
        for (int start = 0; start < padded; start += 16)
        {
            Vector512<float> shifted = Vector512.Load(scores + start) - largest;
            Vector512<float> term = Vector512.ConditionalSelect(
                Vector512.Equals(shifted, Vector512.Create(float.NegativeInfinity)), Vector512<float>.Zero, VectorMath.Exp(shifted));
            term.Store(scores + start);
            sum += term;
        }

        return Vector512.Sum(sum);
    }

    /// <summary>The largest of 16 numbers, NaN if one is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Largest(Vector512<float> numbers)
    {
        Vector256<float> eight = Vector256.Max(numbers.GetLower(), numbers.GetUpper());
        Vector128<float> four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        return MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3]));
    }

    /// <summary>32 columns of weights·V for four heads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(byte** blocks, int length, in HeadShape shape, int column, float* weights, int padded, float* to)
    {
        int stride = shape.ValueStride;
        int other = Math.Min(column + 16, stride - 16);
        nint apart = (other - column) * T.Size;
        Vector512<float> a0 = Vector512<float>.Zero, a1 = Vector512<float>.Zero, a2 = Vector512<float>.Zero, a3 = Vector512<float>.Zero;
        Vector512<float> b0 = Vector512<float>.Zero, b1 = Vector512<float>.Zero, b2 = Vector512<float>.Zero, b3 = Vector512<float>.Zero;
        for (int start = 0; start < length; start += PagedCache.Positions)
        {
            byte* values = blocks[start / PagedCache.Positions] + shape.KeyBytes + column * T.Size;
            float* weight = weights + start;
            int end = Math.Min(PagedCache.Positions, length - start);
            for (nint t = 0; t < end; t++)
            {
                Vector512<float> a = T.Load16(values);
                Vector512<float> b = T.Load16(values + apart);
                Vector512<float> w = Vector512.Create(weight[t]);
                a0 = Vector512.FusedMultiplyAdd(a, w, a0);
                b0 = Vector512.FusedMultiplyAdd(b, w, b0);
                w = Vector512.Create(weight[padded + t]);
                a1 = Vector512.FusedMultiplyAdd(a, w, a1);
                b1 = Vector512.FusedMultiplyAdd(b, w, b1);
                w = Vector512.Create(weight[2 * padded + t]);
                a2 = Vector512.FusedMultiplyAdd(a, w, a2);
                b2 = Vector512.FusedMultiplyAdd(b, w, b2);
                w = Vector512.Create(weight[3 * padded + t]);
                a3 = Vector512.FusedMultiplyAdd(a, w, a3);
                b3 = Vector512.FusedMultiplyAdd(b, w, b3);
                values += stride * T.Size;
            }
        }

        a0.Store(to + column);
        a1.Store(to + stride + column);
        a2.Store(to + 2 * stride + column);
        a3.Store(to + 3 * stride + column);
        b0.Store(to + other);
        b1.Store(to + stride + other);
        b2.Store(to + 2 * stride + other);
        b3.Store(to + 3 * stride + other);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(float* from, float factor, float* to, int size)
    {
        int d = 0;
        for (; d + 16 <= size; d += 16)
        {
            (Vector512.Load(from + d) * factor).Store(to + d);
        }

        for (; d < size; d++)
        {
            to[d] = from[d] * factor;
        }
    }
}

/// <param name="Size">D.</param>
/// <param name="ValueStride">Dp.</param>
/// <param name="KeyBytes">Bytes of a head's keys in a block.</param>
internal readonly record struct HeadShape(int Size, int ValueStride, long KeyBytes);
