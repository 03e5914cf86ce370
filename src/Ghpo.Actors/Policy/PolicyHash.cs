using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Ghpo.Models;
using static TorchSharp.torch;

namespace Ghpo.Policy;

/// <summary>The name of a set of weights: equal weights have equal hashes on every machine.</summary>
public static class PolicyHash
{
    /// <summary>
    /// SHA-256, in lower-case hex, over the tensors in ordinal order of their names. Each contributes its name and type (UTF-8, each behind its
    /// length as u32), number of dimensions (u32), sizes (i64) and elements, all little endian: no two sets of weights share one byte stream.
    /// </summary>
    public static string Of(IReadOnlyDictionary<string, Tensor> weights)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, Tensor weight) in weights.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            AppendText(hash, name);
            AppendText(hash, SafetensorsType.Name(weight.dtype));
            AppendCount(hash, weight.shape.Length);
            foreach (long size in weight.shape)
            {
                AppendSize(hash, size);
            }

            TensorBytes.Visit(weight, hash.AppendData);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AppendText(IncrementalHash hash, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        AppendCount(hash, bytes.Length);
        hash.AppendData(bytes);
    }

    private static void AppendSize(IncrementalHash hash, long size)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, size);
        hash.AppendData(bytes);
    }

    private static void AppendCount(IncrementalHash hash, int count)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)count);
        hash.AppendData(bytes);
    }
}
