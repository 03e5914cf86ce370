using System.Buffers.Binary;
using Xunit;

namespace Ghpo.Tests.Node;

/// <summary>
/// Reads a TensorBoard event file by its specification: records of u64 length, masked CRC32C of the length, data, masked CRC32C of the data;
/// each data an Event message (1: wall_time double, 2: step varint, 3: file_version string, 5: summary), the first one the version.
/// </summary>
internal static class EventFile
{
    public static List<(string Tag, long Step, float Value, double WallTime)> Read(string file)
    {
        ReadOnlySpan<byte> rest = File.ReadAllBytes(file);
        var scalars = new List<(string, long, float, double)>();
        bool first = true;
        while (rest.Length > 0)
        {
            int length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(rest));
            Assert.Equal(Masked(rest[..8]), BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]));
            ReadOnlySpan<byte> data = rest.Slice(12, length);
            Assert.Equal(Masked(data), BinaryPrimitives.ReadUInt32LittleEndian(rest[(12 + length)..]));
            rest = rest[(16 + length)..];
            Tensorboard.Event one = Tensorboard.Event.Parser.ParseFrom(data.ToArray());
            if (first)
            {
                Assert.Equal("brain.Event:2", one.FileVersion);
                first = false;
                continue;
            }

            Tensorboard.Summary.Types.Value value = Assert.Single(one.Summary.Value);
            scalars.Add((value.Tag, one.Step, value.SimpleValue, one.WallTime));
        }

        return scalars;
    }

    /// <summary>CRC32C (Castagnoli, reflected polynomial 0x82f63b78), rotated right by 15 bits, plus 0xa282ead8.</summary>
    private static uint Masked(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ (0x82f63b78 & (uint)-(int)(crc & 1));
            }
        }

        crc = ~crc;
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }
}
