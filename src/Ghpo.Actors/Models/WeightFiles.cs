using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ghpo.Configuration;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>
/// The weights of a model folder, open: model.safetensors, or the shards that model.safetensors.index.json names. Tensors are read one by one,
/// so loading takes the memory of the weights and of one part of a tensor.
/// </summary>
internal sealed partial class WeightFiles : IDisposable
{
    internal const string WholeFile = "model.safetensors";
    internal const string IndexFile = "model.safetensors.index.json";

    private const string Head = "lm_head.weight";
    private const string Embedding = "model.embed_tokens.weight";

    private readonly string _source;
    private readonly List<SafetensorsFile> _files;
    private readonly Dictionary<string, SafetensorsFile> _fileOf = new(StringComparer.Ordinal);

    private WeightFiles(string source, List<SafetensorsFile> files)
    {
        _source = source;
        _files = files;
    }

    internal IEnumerable<TensorSource> Tensors => _fileOf.Select(entry => TensorSource.Of(entry.Key, entry.Value));

    internal long Bytes => _fileOf.Sum(entry => entry.Value.Entries[entry.Key].Bytes);

    /// <summary>Type and shape of each tensor.</summary>
    internal IReadOnlyDictionary<string, SafetensorsEntry> Entries => _fileOf.ToDictionary(entry => entry.Key, entry => entry.Value.Entries[entry.Key]);

    /// <exception cref="UserErrorException">A file is missing or malformed, or index and shards do not agree.</exception>
    internal static WeightFiles Open(string folder)
    {
        string whole = Path.Combine(folder, WholeFile);
        string index = Path.Combine(folder, IndexFile);
        if (!File.Exists(whole) && !File.Exists(index))
        {
            throw new UserErrorException($"{whole} is missing, and there is no {IndexFile} for shards of it.");
        }

        var opened = new WeightFiles(File.Exists(whole) ? whole : index, []);
        try
        {
            if (File.Exists(whole))
            {
                opened.Add(SafetensorsFile.Open(whole));
            }
            else
            {
                opened.AddShards(folder, index);
            }

            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Overwrites the decoder's parameters.</summary>
    /// <exception cref="UserErrorException">A tensor is missing or superfluous, or has another shape, or a type that weights do not have.</exception>
    internal void CopyTo(Decoder decoder)
    {
        RequireFit(decoder.Config);
        foreach ((string name, Parameter parameter) in decoder.named_parameters())
        {
            _fileOf[name].CopyTo(name, parameter);
        }
    }

    /// <exception cref="UserErrorException">These are no weights of <paramref name="config"/>.</exception>
    internal void RequireFit(ModelConfig config)
    {
        DropTiedHead(config);
        ParameterShapes.RequireMatch(
            config, _fileOf.ToDictionary(entry => entry.Key, entry => entry.Value.Entries[entry.Key].Shape.ToArray()), _source, name => _fileOf[name].Path);
        foreach ((string name, SafetensorsFile file) in _fileOf)
        {
            if (file.Entries[name].Dtype is not (ScalarType.Float32 or ScalarType.BFloat16 or ScalarType.Float16))
            {
                throw new UserErrorException($"{file.Path}: tensor {name} has type {SafetensorsType.Name(file.Entries[name].Dtype)}; weights are F32, BF16 or F16.");
            }
        }
    }

    /// <summary>
    /// Writes weights as one file, or in shards with an index where they take more than <paramref name="maxShardBytes"/>; a tensor is never cut.
    /// Weight files of an earlier save that this one does not overwrite are deleted: a reader would take them for this model's.
    /// </summary>
    internal static void Write(string folder, IEnumerable<TensorSource> tensors, long maxShardBytes)
    {
        TensorSource[] ordered = [.. tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal)];
        var shards = new List<List<TensorSource>> { new() };
        long filled = 0;
        foreach (TensorSource tensor in ordered)
        {
            if (shards[^1].Count > 0 && filled + tensor.Bytes > maxShardBytes)
            {
                shards.Add([]);
                filled = 0;
            }

            shards[^1].Add(tensor);
            filled += tensor.Bytes;
        }

        string[] names = shards.Count == 1
            ? [WholeFile]
            : [.. shards.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:00000}-of-{shards.Count:00000}.safetensors"))];
        foreach ((int i, string name) in names.Index())
        {
            SafetensorsWriter.Write(Path.Combine(folder, name), shards[i]);
        }

        if (shards.Count > 1)
        {
            WriteIndex(Path.Combine(folder, IndexFile), names, shards);
        }

        foreach (string file in Directory.EnumerateFiles(folder).Where(file => IsWeightFile(Path.GetFileName(file))))
        {
            if (!names.Contains(Path.GetFileName(file)) && (shards.Count == 1 || Path.GetFileName(file) != IndexFile))
            {
                File.Delete(file);
            }
        }
    }

    public void Dispose() => _files.ForEach(file => file.Dispose());

    private static void WriteIndex(string path, string[] names, List<List<TensorSource>> shards)
    {
        var map = new JsonObject();
        foreach ((int i, List<TensorSource> shard) in shards.Index())
        {
            shard.ForEach(tensor => map[tensor.Name] = names[i]);
        }

        var index = new JsonObject
        {
            ["metadata"] = new JsonObject { ["total_size"] = shards.Sum(shard => shard.Sum(tensor => tensor.Bytes)) },
            ["weight_map"] = map,
        };
        using FileStream file = File.Create(path);
        file.Write(System.Text.Encoding.UTF8.GetBytes(index.ToJsonString(JsonConfig.Indented) + "\n"));
        file.Flush(flushToDisk: true);
    }

    private static bool IsWeightFile(string name) => name is WholeFile or IndexFile || ShardName().IsMatch(name);

    [GeneratedRegex(@"^model-\d{5}-of-\d{5}\.safetensors$")]
    private static partial Regex ShardName();

    private void Add(SafetensorsFile file)
    {
        _files.Add(file);
        foreach (string name in file.Entries.Keys.Where(name => !IsDerived(name)))
        {
            _fileOf.Add(name, file);
        }
    }

    private void AddShards(string folder, string index)
    {
        JsonConfig map = JsonConfig.Open(index).Section("weight_map") ?? throw new UserErrorException($"{index}: key weight_map is missing.");
        var shardOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (JsonProperty entry in map.Element.EnumerateObject())
        {
            string? shard = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString() : null;
            if (string.IsNullOrEmpty(shard) || Path.GetFileName(shard) != shard)
            {
                throw new UserErrorException($"{index}: weight_map.{entry.Name} is {entry.Value.GetRawText()}, which is no file name.");
            }

            if (!shardOf.TryAdd(entry.Name, shard))
            {
                throw new UserErrorException($"{index}: weight_map holds tensor {entry.Name} twice.");
            }
        }

        foreach (IGrouping<string, string> shard in shardOf.GroupBy(entry => entry.Value, entry => entry.Key).OrderBy(shard => shard.Key, StringComparer.Ordinal))
        {
            string path = Path.Combine(folder, shard.Key);
            if (!File.Exists(path))
            {
                throw new UserErrorException($"{path} is missing; {IndexFile} says that it holds {shard.Count()} tensors, {shard.First()} among them.");
            }

            SafetensorsFile file = SafetensorsFile.Open(path);
            _files.Add(file);
            foreach (string name in file.Entries.Keys.Where(name => !IsDerived(name)))
            {
                if (!_fileOf.TryAdd(name, file))
                {
                    throw new UserErrorException($"{path}: tensor {name} is in {Path.GetFileName(_fileOf[name].Path)} too.");
                }
            }

            if (shard.FirstOrDefault(name => !file.Entries.ContainsKey(name)) is { } missing)
            {
                throw new UserErrorException($"{path}: tensor {missing} is missing; {IndexFile} says that it is here.");
            }
        }

        if (_fileOf.Keys.FirstOrDefault(name => !shardOf.ContainsKey(name)) is { } unlisted)
        {
            throw new UserErrorException($"{_fileOf[unlisted].Path}: tensor {unlisted} is not in {IndexFile}.");
        }
    }

    /// <summary>Old Llama files store the rotary frequencies, which follow from the configuration.</summary>
    private static bool IsDerived(string name) => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);

    /// <summary>Some files of tied models store the output head a second time. It must then equal the embedding.</summary>
    private void DropTiedHead(ModelConfig config)
    {
        if (!config.TiedEmbeddings || !_fileOf.TryGetValue(Head, out SafetensorsFile? file) || !_fileOf.TryGetValue(Embedding, out SafetensorsFile? other))
        {
            return;
        }

        SafetensorsEntry head = file.Entries[Head];
        SafetensorsEntry embedding = other.Entries[Embedding];
        if (head.Dtype != embedding.Dtype || !head.Shape.SequenceEqual(embedding.Shape) || !Digest(file, Head).SequenceEqual(Digest(other, Embedding)))
        {
            throw new UserErrorException($"{file.Path}: tensor {Head} differs from {Embedding}, but config.json has tie_word_embeddings = true.");
        }

        _fileOf.Remove(Head);
    }

    private static byte[] Digest(SafetensorsFile file, string name)
    {
        using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        file.Visit(name, hash.AppendData);
        return hash.GetHashAndReset();
    }
}
