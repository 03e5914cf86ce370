using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Ghpo.Policy.Plane;

/// <summary>
/// What the bytes of a policy's safetensors file must be, chunk by chunk. It speaks of content alone, not of epoch and version: a learner that comes back
/// with a new epoch and the same weights makes nobody fetch them again.
/// <code>
/// bytes 0 ┌── chunk 0 ──┬── chunk 1 ──┬─ … ─┬ last ┐      all chunks are ChunkBytes long but the last, which is 1 to ChunkBytes
/// </code>
/// </summary>
/// <param name="Hash"><see cref="PolicyHash"/> of the tensors: what the policy is called everywhere.</param>
/// <param name="Bytes">Length of the file.</param>
/// <param name="Chunks">
/// XXH128 of each chunk: it finds damage, and says at which source, at a fraction of what a cryptographic hash costs. What a worker loads is decided by the SHA-256 of the whole.
/// </param>
public sealed record PolicyManifest(string Hash, long Bytes, int ChunkBytes, ImmutableArray<ReadOnlyMemory<byte>> Chunks)
{
    /// <summary>"GPM2", little endian: the first bytes of a manifest on the wire.</summary>
    private const uint Magic = 0x324D5047;

    /// <summary>Bytes of a chunk's hash.</summary>
    public const int ChunkHashBytes = 16;

    private const int HeaderBytes = sizeof(uint) + sizeof(long) + sizeof(int);

    /// <summary>A manifest on the wire is not longer than this: 1,048,576 chunks.</summary>
    public const int LongestEncoding = HeaderBytes + (1 << 20) * ChunkHashBytes;

    /// <summary>Bytes of one chunk.</summary>
    public int LengthOf(int chunk) => (int)Math.Min(ChunkBytes, Bytes - OffsetOf(chunk));

    /// <summary>Bytes from the start of the file.</summary>
    public long OffsetOf(int chunk) => (long)chunk * ChunkBytes;

    /// <summary>True if these are the bytes of that chunk.</summary>
    public bool Matches(int chunk, ReadOnlySpan<byte> hash) => Chunks[chunk].Span.SequenceEqual(hash);

    /// <summary>u32 "GPM2", i64 bytes, i32 bytes a chunk, then 16 bytes a chunk; all little endian.</summary>
    public byte[] Encode()
    {
        byte[] bytes = new byte[HeaderBytes + Chunks.Length * ChunkHashBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(4), Bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), ChunkBytes);
        for (int chunk = 0; chunk < Chunks.Length; chunk++)
        {
            Chunks[chunk].Span.CopyTo(bytes.AsSpan(HeaderBytes + chunk * ChunkHashBytes));
        }

        return bytes;
    }

    /// <exception cref="FormatException">These bytes are no manifest.</exception>
    public static PolicyManifest Decode(string hash, ReadOnlyMemory<byte> encoded)
    {
        if (encoded.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(encoded.Span) != Magic)
        {
            throw new FormatException($"{encoded.Length} bytes are no manifest of a policy.");
        }

        long bytes = BinaryPrimitives.ReadInt64LittleEndian(encoded.Span[4..]);
        int chunkBytes = BinaryPrimitives.ReadInt32LittleEndian(encoded.Span[12..]);
        int length = encoded.Length - HeaderBytes;
        if (bytes <= 0 || chunkBytes <= 0 || length % ChunkHashBytes != 0 || (bytes - 1) / chunkBytes + 1 != length / ChunkHashBytes)
        {
            throw new FormatException($"The manifest of policy {hash} is malformed: {bytes} bytes in chunks of {chunkBytes} do not make {length} bytes of hashes.");
        }

        ReadOnlyMemory<byte> hashes = encoded[HeaderBytes..];
        return new PolicyManifest(
            hash, bytes, chunkBytes,
            [.. Enumerable.Range(0, length / ChunkHashBytes).Select(chunk => hashes.Slice(chunk * ChunkHashBytes, ChunkHashBytes))]);
    }
}
