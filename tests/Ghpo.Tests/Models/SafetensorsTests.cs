using System.Text;
using Ghpo.Configuration;
using Ghpo.Models;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Models;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder["a.safetensors"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Int64)]
    public void A_tensor_keeps_type_shape_and_bits(ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor tensor = arange(-3, 3).reshape(2, 3).mul(1.5).to(dtype);

        // A transposed view is not contiguous: what counts are its elements in its own order.
        SafetensorsWriter.Write(Path, [KeyValuePair.Create("t", tensor.t()), KeyValuePair.Create("empty", zeros(0, 4, dtype: dtype))]);
        using SafetensorsFile file = SafetensorsFile.Open(Path);

        Tensor read = file.Read("t");
        Assert.Equal([3L, 2L], read.shape);
        Assert.Equal(dtype, read.dtype);
        Assert.Equal(tensor.t().contiguous().bytes.ToArray(), read.bytes.ToArray());
        Assert.Equal([0L, 4L], file.Read("empty").shape);
    }

    [Fact]
    public void A_truncated_file_is_refused_when_it_is_opened()
    {
        using Tensor tensor = ones(100);
        SafetensorsWriter.Write(Path, [KeyValuePair.Create("t", tensor)]);
        File.WriteAllBytes(Path, File.ReadAllBytes(Path)[..^1]);

        Assert.Contains("tensor t lies at bytes 0 to 400 of 399", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 8L, "truncated")]
    [InlineData("{}", long.MaxValue, "its header claims")]
    [InlineData("[]", 2L, "not a JSON object")]
    [InlineData("{\"a\"", 4L, "not valid JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", null, "lacks a dtype, a shape or two data_offsets")]
    [InlineData("""{"a":{"dtype":"F8","shape":[2],"data_offsets":[0,2]}}""", null, "has type F8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}}""", null, "truncated or malformed")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,0]}}""", null, "truncated or malformed")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}""", null, "needs 4 bytes, its data_offsets give 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", null, "overflows")]
    public void A_malformed_header_is_refused_with_its_reason(string header, long? length, string expected)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(Path, [.. BitConverter.GetBytes(length ?? json.Length), .. json, .. new byte[8]]);
        if (header.Length == 0)
        {
            File.WriteAllBytes(Path, BitConverter.GetBytes(length!.Value));
        }

        string message = Refusal();
        Assert.Contains(Path, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}}""", "tensors a and b share bytes 3 to 5")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}}""", "bytes 2 to 3, before tensor b, belong to no tensor")]
    [InlineData("""{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}""", "the 3 bytes behind a belong to no tensor")]
    [InlineData("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "tensor a appears twice")]
    [InlineData("""{"__metadata__":{"format":7},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "__metadata__ is not an object of strings")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "not valid JSON")]
    public void Tensors_must_fill_the_file_without_sharing_a_byte(string header, string expected)
    {
        WriteRaw(Encoding.UTF8.GetBytes(header), 8);

        string message = Refusal();
        Assert.StartsWith(Path, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_is_copied_into_another_type_as_torch_would_convert_it()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor tensor = arange(-3, 3).reshape(2, 3).mul(1.1);
        SafetensorsWriter.Write(Path, [KeyValuePair.Create("t", tensor.to(ScalarType.BFloat16))]);
        using SafetensorsFile file = SafetensorsFile.Open(Path);
        Tensor target = zeros(2, 3);
        file.CopyTo("t", target);

        Assert.Equal(tensor.to(ScalarType.BFloat16).to(ScalarType.Float32).data<float>().ToArray(), target.data<float>().ToArray());
    }

    /// <summary>A valid file with bytes changed, cut and repeated, and headers of random JSON: each is read or refused, in memory that the file bounds.</summary>
    [Fact]
    public void Any_bytes_are_read_or_refused()
    {
        using DisposeScope scope = NewDisposeScope();
        SafetensorsWriter.Write(Path, [KeyValuePair.Create("a", arange(12).reshape(3, 4)), KeyValuePair.Create("b.weight", ones(5)), KeyValuePair.Create("c", zeros(0))]);
        byte[] valid = File.ReadAllBytes(Path);
        int header = (int)BitConverter.ToUInt64(valid);
        var random = new Random(1);
        int read = 0;
        int refused = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 4000; i++)
        {
            File.WriteAllBytes(Path, (i % 4) switch
            {
                0 => Mutated(valid, valid.Length),
                1 => Mutated(valid, 8 + header),
                2 => valid[..random.Next(valid.Length)],
                _ => Headed(Generated()),
            });
            try
            {
                using SafetensorsFile file = SafetensorsFile.Open(Path);
                foreach ((string name, SafetensorsEntry entry) in file.Entries)
                {
                    using Tensor tensor = file.Read(name);
                    Assert.Equal(entry.Bytes, tensor.NumberOfElements * tensor.ElementSize);
                }

                read++;
            }
            catch (UserErrorException error)
            {
                Assert.StartsWith(Path, error.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        Assert.True(read > 100 && refused > 1000, $"{read} read, {refused} refused");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4000 * 200_000L);

        byte[] Mutated(byte[] bytes, int within)
        {
            byte[] result = [.. bytes];
            for (int changes = random.Next(1, 4); changes > 0; changes--)
            {
                result[random.Next(within)] = (byte)(random.Next(3) == 0 ? random.Next(256) : "0123456789{}[],:\"FBU"[random.Next(20)]);
            }

            return result;
        }

        byte[] Headed(string json)
        {
            byte[] text = Encoding.UTF8.GetBytes(json);
            return [.. BitConverter.GetBytes(random.Next(5) == 0 ? (ulong)random.NextInt64() : (ulong)text.Length), .. text, .. new byte[random.Next(64)]];
        }

        string Generated()
        {
            string Number() => (random.Next(4) switch { 0 => random.NextInt64(), 1 => -1L, _ => random.Next(16) }).ToString(System.Globalization.CultureInfo.InvariantCulture);
            string Entry() =>
                $$"""{"dtype":"{{(random.Next(2) == 0 ? "F32" : "U8")}}","shape":[{{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Number()))}}],"data_offsets":[{{Number()}},{{Number()}}]}""";
            string Value(int depth) => random.Next(depth > 3 ? 3 : 5) switch { 0 => Number(), 1 => "null", 2 => Entry(), 3 => $"[{Value(depth + 1)}]", _ => $$"""{"x":{{Value(depth + 1)}}}""" };
            return "{" + string.Join(',', Enumerable.Range(0, random.Next(4)).Select(i => $"\"{(random.Next(9) == 0 ? "__metadata__" : $"t{random.Next(3)}")}\":{Value(0)}")) + "}";
        }
    }

    private void WriteRaw(byte[] header, int data) => File.WriteAllBytes(Path, [.. BitConverter.GetBytes((ulong)header.Length), .. header, .. new byte[data]]);

    private string Refusal() => Assert.Throws<UserErrorException>(() => SafetensorsFile.Open(Path)).Message;
}
