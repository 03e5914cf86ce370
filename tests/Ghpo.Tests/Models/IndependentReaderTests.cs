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

    [Fact]
    public async Task An_adapter_read_back_as_peft_documents_it_merges_to_the_weights_of_ghpo_merge()
    {
        ModelConfig config = TinyModel.Config();
        using Decoder decoder = TinyModel.Create(config);
        Directory.CreateDirectory(_folder["model"]);
        TinyModel.WriteFolder(_folder["model"], config, decoder);
        using (var lora = new LoraAdapters(decoder, rank: 3, alpha: 5, ["q_proj", "down_proj"], seed: 4))
        using (no_grad())
        {
            foreach ((_, TorchSharp.Modules.Parameter parameter) in lora.Named())
            {
                parameter.add_(arange(parameter.NumberOfElements, ScalarType.Float32).view(parameter.shape).sin(), alpha: 0.3);
            }

            lora.Save(_folder["adapter"], _folder["model"]);
        }

        MergedModel.Write(_folder["model"], _folder["adapter"], _folder["merged"], ScalarType.Float32);
        using LoadedModel merged = ModelFolder.Load(_folder["merged"], CPU, ScalarType.Float32);
        Dictionary<string, double[]> expected = (await Run("peft-merge.py", _folder["model"], _folder["adapter"])).Select(line => line.Split(' '))
            .ToDictionary(parts => parts[0], parts => parts[1..].Select(number => double.Parse(number, System.Globalization.CultureInfo.InvariantCulture)).ToArray());

        Assert.Equal(merged.Decoder.named_parameters().Select(entry => entry.name).Order(StringComparer.Ordinal), expected.Keys.Order(StringComparer.Ordinal));
        foreach ((string name, TorchSharp.Modules.Parameter parameter) in merged.Decoder.named_parameters())
        {
            double worst = parameter.data<float>().Zip(expected[name], (actual, wanted) => Math.Abs(actual - wanted)).Max();
            Assert.True(worst < 1e-6, $"{name} differs by {worst}");
        }
    }

    private static Task<string[]> Read(string folder) => Run("safetensors-reader.py", folder);

    private static async Task<string[]> Run(string name, params string[] arguments)
    {
        string script = Path.Combine(RepositoryFiles.Root, "tests", "oracles", name);
        Process? python;
        try
        {
            python = Process.Start(new ProcessStartInfo("python3", [script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true });
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
