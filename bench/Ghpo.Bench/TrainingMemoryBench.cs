using System.Diagnostics;
using System.Globalization;
using Ghpo.Models;
using static TorchSharp.torch;

namespace Ghpo.Bench;

/// <summary>
/// The memory formula against real training steps: random models of several shapes are written, and <c>ghpo inspect-model --measure</c> takes two steps on each in a process of its own, with and without
/// what saves memory. Linux only.
/// <code>ghpo-bench training-memory [--threads N] [--only SHAPE]</code>
/// </summary>
internal static class TrainingMemoryBench
{
    private static readonly (string Name, ModelConfig Config, int Tokens)[] _shapes =
    [
        ("23M, 2,048 tokens", BenchModel.Config, 2048),
        ("23M, 8,192 tokens", BenchModel.Config, 8192),
        ("wide vocabulary", BenchModel.Config with { VocabularySize = 100_000, Layers = 4 }, 2048),
        ("deep", BenchModel.Config with { Layers = 24, HiddenSize = 384, Heads = 6, IntermediateSize = 1024 }, 4096),
        ("wide", BenchModel.Config with { Layers = 4, HiddenSize = 1536, Heads = 12, IntermediateSize = 4096 }, 2048),
    ];

    private static readonly (string Name, string[] Settings)[] _ways =
    [
        ("float32", []),
        ("bfloat16", ["model.dtype=bfloat16"]),
        ("bfloat16, moments too", ["model.dtype=bfloat16", "learning.optimizer-state=bfloat16"]),
        ("float32, checkpointing", ["learning.gradient-checkpointing=true"]),
        ("float32, LoRA 16, KL", ["learning.lora.rank=16", "learning.kl-beta=0.1"]),
        ("bfloat16, LoRA 16, checkpointing", ["model.dtype=bfloat16", "learning.lora.rank=16", "learning.gradient-checkpointing=true"]),
    ];

    public static int Run(string[] args)
    {
        var options = new Arguments("training-memory", args, "--threads", "--only");
        int threads = options.Number("--threads", 2);
        string only = options.Text("--only") ?? "";
        foreach ((string shape, ModelConfig shaped, int tokens) in _shapes.Where(shape => shape.Name.Contains(only, StringComparison.Ordinal)))
        {
            ModelConfig config = shaped with { StopTokens = [256] };
            string folder = Directory.CreateTempSubdirectory("ghpo-memory-").FullName;
            try
            {
                TinyTokenizer.Write(folder, ["<|end|>"], "", "<|end|>");
                using (var decoder = new Decoder(config, CPU, ScalarType.Float32))
                {
                    decoder.Initialise(1);
                    ModelFolder.Save(folder, config, decoder, folder);
                }

                foreach ((string way, string[] settings) in _ways)
                {
                    string[] all =
                    [
                        $"learning.micro-batch-tokens={tokens.ToString(CultureInfo.InvariantCulture)}", $"learning.threads={threads.ToString(CultureInfo.InvariantCulture)}", "prompt.max-tokens=128",
                        "rollout.max-new-tokens=128", .. settings,
                    ];
                    string[] arguments = [Path.Combine(AppContext.BaseDirectory, "ghpo.dll"), "inspect-model", folder, "--measure", .. all.SelectMany(setting => new[] { "--set", setting })];
                    using Process child = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true })!;
                    string output = child.StandardOutput.ReadToEnd();
                    child.WaitForExit();
                    int measured = output.IndexOf("measured:", StringComparison.Ordinal);
                    Console.WriteLine($"{shape}; {way}: {(measured < 0 ? $"exit code {child.ExitCode}" : output[measured..].Trim().ReplaceLineEndings(" "))}");
                }
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        return 0;
    }
}
