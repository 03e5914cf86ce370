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

    private string Refusal() => Assert.Throws<UserErrorException>(() => SafetensorsFile.Open(Path)).Message;
}
