using System.Diagnostics;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Models;
using static TorchSharp.torch;

namespace Ghpo.Bench;

/// <summary>
/// Peak memory of loading a model folder: random weights are written, then loaded by a process of their own, whose peak resident set (VmHWM) is compared with
/// the weights. Linux only.
/// <code>
///   load [--layers N] [--width N]
///   load --folder FOLDER            what that process does
/// </code>
/// </summary>
internal static class LoadBench
{
    private const double Megabyte = 1 << 20;

    public static int Run(string[] args)
    {
        var arguments = new Arguments("load", args, "--layers", "--width", "--folder");
        if (arguments.Text("--folder") is { } loaded)
        {
            Measure(loaded);
            return 0;
        }

        int width = arguments.Number("--width", 1024);
        string folder = Directory.CreateTempSubdirectory("ghpo-load-").FullName;
        try
        {
            TinyTokenizer.Write(folder, ["<|end|>"], "", "<|end|>");
            var config = new ModelConfig(
                ModelType.Llama, VocabularySize: 32_000, width, 4 * width, arguments.Number("--layers", 8), Heads: 16, KeyValueHeads: 4, width / 16, 2048, 1e-6, 10000, TiedEmbeddings: true, AttentionBias: false, [256]);
            Console.WriteLine("stored    shards  loaded as  weights MB  largest tensor MB  peak above the start MB  beyond the weights MB");
            foreach ((ScalarType stored, long shard) in new[] { (ScalarType.Float32, long.MaxValue), (ScalarType.BFloat16, long.MaxValue), (ScalarType.BFloat16, 100_000_000L) })
            {
                Write(folder, config, stored, shard);
                Console.Write($"{stored,-9} {Directory.GetFiles(folder, "*.safetensors").Length,6}  ");
                Console.Out.Flush();
                using Process child = Process.Start(Environment.ProcessPath!, [.. Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? new[] { typeof(LoadBench).Assembly.Location } : [], "load", "--folder", folder]);
                child.WaitForExit();
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Write(string folder, ModelConfig config, ScalarType stored, long shard)
    {
        using var decoder = new Decoder(config, CPU, stored);
        decoder.Initialise(1);
        ModelFolder.Save(folder, config, decoder, folder, shard);
    }

    private static void Measure(string folder)
    {
        // What a process has before its first weight: libtorch, the tokenizer.
        _ = ModelTokenizer.Load(Path.Combine(folder, "tokenizer.json"));
        zeros(1).Dispose();
        double before = Status("VmHWM");
        using LoadedModel model = ModelFolder.Load(folder, CPU, ScalarType.Float32);
        double grown = Status("VmHWM") - before;
        double[] tensors = [.. model.Decoder.named_parameters().Select(named => named.parameter.NumberOfElements * named.parameter.ElementSize / Megabyte)];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"Float32",9}  {tensors.Sum(),10:0.0}  {tensors.Max(),17:0.0}  {grown,23:0.0}  {grown - tensors.Sum(),21:0.0}"));
    }

    /// <summary>A line of /proc/self/status in MB.</summary>
    private static double Status(string key)
    {
        string line = File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(key + ":", StringComparison.Ordinal))
            ?? throw new UserErrorException($"/proc/self/status has no {key}: this benchmark needs Linux.");
        return double.Parse(line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) / 1024;
    }
}
