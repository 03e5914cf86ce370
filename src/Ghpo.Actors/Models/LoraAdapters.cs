using System.Text.Json.Nodes;
using Ghpo.Configuration;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>
/// Low-rank adapters of a decoder whose own weights are frozen: a target matrix W <c>[out, in]</c> acts as W + (α / r)·B·A, with A <c>[r, in]</c> random and B
/// <c>[out, r]</c> zero at first. Source: Hu et al. 2021, arXiv 2106.09685. Names and files are PEFT's: adapter_config.json, adapter_model.safetensors. Owns A and B; the
/// decoder has to outlive it.
/// </summary>
public sealed class LoraAdapters : IDisposable
{
    private const string ConfigFile = "adapter_config.json";

    private readonly Decoder _decoder;
    private readonly List<LoraAdapter> _adapters = [];
    private readonly IReadOnlyList<string> _targets;
    private readonly int _rank;
    private readonly double _alpha;

    /// <param name="seed">A is drawn from N(0, 1/in), the same for the same seed on every device.</param>
    /// <exception cref="UserErrorException">A target names no matrix of the model.</exception>
    public LoraAdapters(Decoder decoder, int rank, double alpha, IReadOnlyList<string> targets, ulong seed)
    {
        _decoder = decoder;
        _rank = rank;
        _alpha = alpha;
        _targets = targets;
        (string Path, Weights Weights)[] matrices = [.. decoder.Matrices()];
        string[] unmatched = [.. targets.Where(target => !matrices.Any(matrix => Matches(matrix.Path, target)))];
        if (unmatched.Length > 0 || targets.Count == 0)
        {
            string known = string.Join(", ", matrices.Select(matrix => matrix.Path.Split('.')[^1]).Distinct());
            throw new UserErrorException(targets.Count == 0
                ? $"learning.lora.targets is empty: no matrix would be trained. Known are {known}."
                : $"learning.lora.targets: {string.Join(", ", unmatched)} matches no matrix of the model; known are {known}.");
        }

        using IDisposable noGradient = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(seed, CPU);
        foreach ((_, Parameter parameter) in decoder.named_parameters())
        {
            parameter.requires_grad_(false);
        }

        foreach ((string path, Weights weights) in matrices.Where(matrix => targets.Any(target => Matches(matrix.Path, target))))
        {
            (long columns, long depth) = (weights.Weight.shape[0], weights.Weight.shape[1]);
            var a = new Parameter(empty([rank, depth]).normal_(0, 1 / Math.Sqrt(depth), generator).to(decoder.Dtype).to(decoder.Device));
            var b = new Parameter(zeros([columns, rank], decoder.Dtype, decoder.Device));
            a.DetachFromDisposeScope();
            b.DetachFromDisposeScope();
            var adapter = new LoraAdapter(path, weights, a, b, alpha / rank);
            weights.Adapter = adapter;
            _adapters.Add(adapter);
        }
    }

    /// <summary>A and B under PEFT's names.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> Named() => _adapters.SelectMany(adapter => new[]
    {
        (LoraMerge.NameOfA(adapter.Path), adapter.A),
        (LoraMerge.NameOfB(adapter.Path), adapter.B),
    });

    /// <summary>s = α / r.</summary>
    public double Scale => _alpha / _rank;

    /// <summary>The decoder's weights with the adapters added to them, in the decoder's type; new tensors on the host.</summary>
    public Dictionary<string, Tensor> Merged()
    {
        Dictionary<string, Tensor> adapter = Named().ToDictionary(named => named.Name, named => (Tensor)named.Parameter);
        return _decoder.named_parameters().ToDictionary(
            named => named.name, named => LoraMerge.Merged(named.name, named.parameter, adapter, Scale), StringComparer.Ordinal);
    }

    /// <summary>Writes adapter_config.json and adapter_model.safetensors.</summary>
    /// <param name="baseModel">Folder of the frozen weights.</param>
    public void Save(string folder, string baseModel)
    {
        Directory.CreateDirectory(folder);
        var json = new JsonObject
        {
            ["peft_type"] = "LORA",
            ["task_type"] = "CAUSAL_LM",
            ["base_model_name_or_path"] = baseModel,
            ["r"] = _rank,
            ["lora_alpha"] = _alpha,
            ["lora_dropout"] = 0.0,
            ["bias"] = "none",
            ["fan_in_fan_out"] = false,
            ["use_rslora"] = false,
            ["use_dora"] = false,
            ["target_modules"] = new JsonArray([.. _targets.Select(target => JsonValue.Create(target))]),
        };
        File.WriteAllText(Path.Combine(folder, ConfigFile), json.ToJsonString(JsonConfig.Indented) + "\n");
        SafetensorsWriter.Write(Path.Combine(folder, WeightsFile), Named().Select(named => KeyValuePair.Create(named.Name, (Tensor)named.Parameter)));
    }

    public const string WeightsFile = "adapter_model.safetensors";

    /// <summary>True if the folder holds an adapter.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, ConfigFile));

    /// <summary>Copies the adapter in one folder to another, and nothing else that is there.</summary>
    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in new[] { ConfigFile, WeightsFile })
        {
            File.Copy(Path.Combine(from, file), Path.Combine(to, file), overwrite: true);
        }
    }

    /// <summary>Reads a PEFT folder onto a decoder.</summary>
    /// <exception cref="UserErrorException">A file is missing or malformed, or the adapter belongs to another model; names file and tensor.</exception>
    public static LoraAdapters Load(Decoder decoder, string folder)
    {
        string path = Path.Combine(folder, ConfigFile);
        JsonConfig json = JsonConfig.Open(path);
        if (json.Flag("use_rslora", false) || json.Flag("use_dora", false))
        {
            throw json.Unsupported("use_rslora / use_dora", "true", "plain LoRA");
        }

        var adapters = new LoraAdapters(decoder, json.Positive("r"), json.Number("lora_alpha"), [.. json.Strings("target_modules")], seed: 0);
        try
        {
            adapters.CopyFrom(Path.Combine(folder, WeightsFile));
            return adapters;
        }
        catch
        {
            adapters.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (LoraAdapter adapter in _adapters)
        {
            adapter.Weights.Adapter = null;
            adapter.A.Dispose();
            adapter.B.Dispose();
        }

        _adapters.Clear();
    }

    private void CopyFrom(string weights)
    {
        using IDisposable noGradient = no_grad();
        using SafetensorsFile file = SafetensorsFile.Open(weights);
        string[] superfluous = [.. file.Entries.Keys.Except(Named().Select(named => named.Name))];
        if (superfluous.Length > 0)
        {
            throw new UserErrorException($"{weights}: tensor {superfluous[0]} belongs to no target of this model.");
        }

        foreach ((string name, Parameter parameter) in Named())
        {
            if (!file.Entries.TryGetValue(name, out SafetensorsEntry? entry))
            {
                throw new UserErrorException($"{weights}: tensor {name} is missing.");
            }

            if (!entry.Shape.AsSpan().SequenceEqual(parameter.shape))
            {
                throw new UserErrorException(
                    $"{weights}: tensor {name} has shape [{string.Join(", ", entry.Shape)}], expected [{string.Join(", ", parameter.shape)}].");
            }

            using Tensor stored = file.Read(name);
            parameter.copy_(stored);
        }
    }

    /// <summary>A target is a matrix's own name, as q_proj, or the end of its path.</summary>
    private static bool Matches(string path, string target) => path == target || path.EndsWith("." + target, StringComparison.Ordinal);
}

/// <summary>One matrix's adapter.</summary>
internal sealed record LoraAdapter(string Path, Weights Weights, Parameter A, Parameter B, double Scale);
