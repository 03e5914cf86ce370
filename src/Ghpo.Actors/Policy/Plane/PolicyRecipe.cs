using System.Buffers.Binary;

namespace Ghpo.Policy.Plane;

/// <summary>How a policy is made of two others that the plane serves: a model, and an adapter to be merged into it.</summary>
/// <param name="Hash"><see cref="PolicyHash"/> of the merged weights, which are not served themselves.</param>
/// <param name="Base">Hash of the model's.</param>
/// <param name="Adapter">Hash of the adapter's.</param>
public sealed record PolicyRecipe(string Hash, string Base, string Adapter, double Scale)
{
    private const int HashBytes = 32;

    /// <summary>Length on the wire.</summary>
    public const int EncodedBytes = (2 * HashBytes) + sizeof(double);

    /// <summary>32 bytes of the model's hash, 32 of the adapter's, then the scale as f64, little endian.</summary>
    public byte[] Encode()
    {
        byte[] bytes = new byte[EncodedBytes];
        Convert.FromHexString(Base).CopyTo(bytes, 0);
        Convert.FromHexString(Adapter).CopyTo(bytes, HashBytes);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(2 * HashBytes), Scale);
        return bytes;
    }

    /// <exception cref="FormatException">These bytes are no recipe.</exception>
    public static PolicyRecipe Decode(string hash, ReadOnlySpan<byte> encoded) => encoded.Length == EncodedBytes
        ? new PolicyRecipe(
            hash,
            Convert.ToHexStringLower(encoded[..HashBytes]),
            Convert.ToHexStringLower(encoded[HashBytes..(2 * HashBytes)]),
            BinaryPrimitives.ReadDoubleLittleEndian(encoded[(2 * HashBytes)..]))
        : throw new FormatException($"{encoded.Length} bytes are no recipe of a policy, which has {EncodedBytes}.");
}
