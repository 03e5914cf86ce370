using System.Diagnostics;
using System.Security.Cryptography;
using Ghpo.Models;
using Ghpo.Tests.Configuration;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Models;

/// <summary>What is saved, read by a program that shares nothing with the writer.</summary>
public sealed class IndependentReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ScalarType.Float32, long.MaxValue)]
    [InlineData(ScalarType.BFloat16, 20_000)]
    [InlineData(ScalarType.Float16, 5_000)]
    public async Task A_saved_folder_is_what_the_format_asks_for(ScalarType dtype, long maxShardBytes)
    {
        ModelConfig config = TinyModel.Config(ModelType.Qwen3) with { TiedEmbeddings = false };
        using var decoder = new Decoder(config, CPU, dtype);
        using (no_grad())
        {
            decoder.CopyFrom(TinyModel.Create(config).state_dict(), "test");
        }

        ModelFolder.Save(_folder["model"], config, decoder, _folder.Path, maxShardBytes);
        string name = SafetensorsType.Name(dtype);
        IEnumerable<string> expected = decoder.named_parameters().OrderBy(entry => entry.name, StringComparer.Ordinal).Select(
            entry => $"{entry.name} {name} {string.Join('x', entry.parameter.shape)} {Convert.ToHexStringLower(SHA256.HashData(entry.parameter.bytes))}");

        Assert.Equal(expected, await Read(_folder["model"]));
    }

    private static async Task<string[]> Read(string folder)
    {
        string script = Path.Combine(RepositoryFiles.Root, "tests", "oracles", "safetensors-reader.py");
        Process? python;
        try
        {
            python = Process.Start(new ProcessStartInfo("python3", [script, folder]) { RedirectStandardOutput = true, RedirectStandardError = true });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("python3 is not installed.");
            return [];
        }

        using (python)
        {
            string output = await python!.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.Equal("", await python.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
            return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
    }
}
