using System.Collections.Immutable;
using System.IO.Hashing;

namespace Ghpo.Policy.Plane;

/// <summary>Writes through to another stream and hashes what goes by, chunk by chunk.</summary>
internal sealed class ChunkingStream(Stream target, int chunkBytes) : Stream
{
    private readonly XxHash128 _hash = new();
    private readonly ImmutableArray<ReadOnlyMemory<byte>>.Builder _chunks = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
    private int _inChunk;
    private long _length;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _length;

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    /// <summary>What was written, to be called once, at the end.</summary>
    public PolicyManifest Manifest(string hash)
    {
        if (_inChunk > 0)
        {
            EndChunk();
        }

        return new PolicyManifest(hash, _length, chunkBytes, _chunks.ToImmutable());
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            // Hashed and written in turn, piece by piece, so that the bytes are fetched from memory once.
            ReadOnlySpan<byte> piece = buffer[..Math.Min(buffer.Length, Math.Min(1 << 18, chunkBytes - _inChunk))];
            _hash.Append(piece);
            target.Write(piece);
            buffer = buffer[piece.Length..];
            _length += piece.Length;
            _inChunk += piece.Length;
            if (_inChunk == chunkBytes)
            {
                EndChunk();
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => target.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void EndChunk()
    {
        _chunks.Add(_hash.GetHashAndReset());
        _inChunk = 0;
    }
}
