using System.Buffers.Binary;

namespace Ghpo.Inspection;

/// <summary>
/// Bytes off the wire into frames, wherever the network cut them:
/// <code>
/// frame = length (uint32, big-endian, 1 … largest) ∥ length bytes of UTF-8 JSON
/// </code>
/// A length out of range is an error before a single byte is kept for it, so an announcement costs nothing. Not thread-safe.
/// </summary>
public sealed class FrameReader(int largest)
{
    public const int HeaderBytes = sizeof(uint);

    private readonly byte[] _header = new byte[HeaderBytes];
    private int _headerBytes;
    private byte[]? _frame;
    private int _frameBytes;

    /// <returns>The frames that these bytes completed.</returns>
    /// <exception cref="FrameException">The stream is not one of frames. Nothing that follows can be read.</exception>
    public IReadOnlyList<byte[]> Feed(ReadOnlySpan<byte> bytes)
    {
        List<byte[]> frames = [];
        while (!bytes.IsEmpty)
        {
            if (_frame is null)
            {
                int taken = Math.Min(HeaderBytes - _headerBytes, bytes.Length);
                bytes[..taken].CopyTo(_header.AsSpan(_headerBytes));
                bytes = bytes[taken..];
                _headerBytes += taken;
                if (_headerBytes < HeaderBytes)
                {
                    break;
                }

                uint length = BinaryPrimitives.ReadUInt32BigEndian(_header);
                _frame = length >= 1 && length <= largest
                    ? new byte[length]
                    : throw new FrameException($"a frame of {length} bytes is announced; 1 to {largest} are possible");
                _headerBytes = 0;
                _frameBytes = 0;
            }

            int copied = Math.Min(_frame.Length - _frameBytes, bytes.Length);
            bytes[..copied].CopyTo(_frame.AsSpan(_frameBytes));
            bytes = bytes[copied..];
            _frameBytes += copied;
            if (_frameBytes == _frame.Length)
            {
                frames.Add(_frame);
                _frame = null;
            }
        }

        return frames;
    }

    /// <summary>A frame with its header.</summary>
    public static byte[] Write(ReadOnlySpan<byte> content)
    {
        byte[] frame = new byte[HeaderBytes + content.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, (uint)content.Length);
        content.CopyTo(frame.AsSpan(HeaderBytes));
        return frame;
    }
}

/// <summary>What came is no frame of the inspection protocol.</summary>
public sealed class FrameException(string message) : Exception(message);
