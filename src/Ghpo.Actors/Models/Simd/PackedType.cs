using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Ghpo.Models.Simd;

/// <summary>A number as it lies in memory, and how registers of float32 are read from it. Sums are always float32.</summary>
internal unsafe interface IPackedType
{
    /// <summary>Bytes of one number.</summary>
    static abstract int Size { get; }

    /// <summary>Reads 32 numbers of a panel's row: columns 0 to 15 and 16 to 31.</summary>
    static abstract (Vector512<float> Low, Vector512<float> High) Load32(byte* from);

    /// <summary>Writes 32 numbers in the order that <see cref="Load32"/> reads.</summary>
    static abstract void Store32(ReadOnlySpan<float> values, byte* to);

    /// <summary>Reads 16 numbers that lie in their own order.</summary>
    static abstract Vector512<float> Load16(byte* from);

    /// <summary>Writes 16 numbers that lie in their own order, each rounded to nearest even.</summary>
    static abstract void Store16(Vector512<float> values, byte* to);

    /// <summary>Rounds a number to the type, to nearest even.</summary>
    static abstract void Store(float value, byte* to);
}

/// <summary>float32.</summary>
internal readonly unsafe struct PackedSingle : IPackedType
{
    public static int Size => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Low, Vector512<float> High) Load32(byte* from) =>
        (Vector512.Load((float*)from), Vector512.Load((float*)from + 16));

    public static void Store32(ReadOnlySpan<float> values, byte* to) => values.CopyTo(new Span<float>(to, 32));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load16(byte* from) => Vector512.Load((float*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store16(Vector512<float> values, byte* to) => values.Store((float*)to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, byte* to) => *(float*)to = value;
}

/// <summary>
/// bfloat16, the upper half of a float32. A panel's row holds column c in the lower and column 16 + c in the upper half of its c-th word, so that
/// a shift and a mask widen it.
/// </summary>
internal readonly unsafe struct PackedBrain : IPackedType
{
    public static int Size => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> Low, Vector512<float> High) Load32(byte* from)
    {
        Vector512<uint> words = Vector512.Load((uint*)from);
        return ((words << 16).AsSingle(), (words & Vector512.Create(0xFFFF0000)).AsSingle());
    }

    public static void Store32(ReadOnlySpan<float> values, byte* to)
    {
        for (int column = 0; column < 16; column++)
        {
            Store(values[column], to + 4 * column);
            Store(values[column + 16], to + 4 * column + 2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load16(byte* from)
    {
        Vector256<ushort> halves = Vector256.Load((ushort*)from);
        return (Vector512.Create(Vector256.WidenLower(halves), Vector256.WidenUpper(halves)) << 16).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store16(Vector512<float> values, byte* to)
    {
        Vector512<uint> bits = values.AsUInt32();
        Vector512<uint> rounded = (bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512<uint>.One)) >> 16;
        Vector512<uint> number = Vector512.Equals(values, values).AsUInt32();
        Vector512<uint> halves = Vector512.ConditionalSelect(number, rounded, Vector512.Create(0x7FC0u));
        Avx512F.ConvertToVector256UInt16(halves).Store((ushort*)to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, byte* to)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);

        // Rounding would carry a NaN's payload into its sign; it stays a NaN.
        *(ushort*)to = float.IsNaN(value) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
