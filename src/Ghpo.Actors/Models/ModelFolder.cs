using System.Collections.Immutable;
using System.Text.Json;
using Ghpo.Configuration;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>Model folders in Hugging Face layout: config.json, tokenizer.json, model.safetensors (or its shards with an index).</summary>
public static class ModelFolder
{
    private const string WeightsFile = "model.safetensors";
    private const string IndexFile = "model.safetensors.index.json";

    /// <summary>Files that a save takes over unchanged.</summary>
    private static readonly ImmutableArray<string> Companions =
    [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
        "chat_template.jinja", "generation_config.json",
    ];

    /// <summary>Finds a model folder: a relative path is looked up in the working folder, then beside the program.</summary>
    /// <exception cref="UserErrorException">It is in neither.</exception>
    public static string Resolve(string path)
    {
        if (Directory.Exists(path))
        {
            return Path.GetFullPath(path);
        }

        string beside = Path.Combine(AppContext.BaseDirectory, path);
        return Directory.Exists(beside)
            ? beside
            : throw new UserErrorException(
                Path.IsPathRooted(path)
                    ? $"Model folder {path} does not exist; set model.path to a folder in Hugging Face layout."
                    : $"Model folder {path} is neither in {Environment.CurrentDirectory} nor in {AppContext.BaseDirectory}; set model.path to a folder in Hugging Face layout.");
    }

    /// <summary>Reads a model; weights are converted to <paramref name="dtype"/>.</summary>
    /// <exception cref="UserErrorException">A file or tensor is missing, malformed, superfluous or of the wrong shape.</exception>
    public static LoadedModel Load(string folder, Device device, ScalarType dtype)
    {
        ModelConfig config = ModelConfig.Read(Path.Combine(folder, "config.json"));
        ITokenizer tokenizer = ModelTokenizer.Load(Path.Combine(folder, "tokenizer.json"));
        IReadOnlyList<int> stops = ReadStopTokens(folder, config);
        var decoder = new Decoder(config, device, dtype);
        try
        {
            ReadWeights(folder, decoder);
            return new LoadedModel(config, decoder, tokenizer, stops, folder);
        }
        catch
        {
            decoder.Dispose();
            throw;
        }
    }

    /// <summary>Writes a model's weights and configuration, and copies its tokenizer files from where it came.</summary>
    public static void Save(string folder, LoadedModel model) => Save(folder, model.Config, model.Decoder, model.Folder);

    /// <summary>Writes weights in the decoder's type and the configuration; tokenizer files are copied from <paramref name="source"/>, which may be the same folder.</summary>
    public static void Save(string folder, ModelConfig config, Decoder decoder, string source)
    {
        Directory.CreateDirectory(folder);
        foreach (string companion in Companions)
        {
            string from = Path.GetFullPath(Path.Combine(source, companion));
            string to = Path.GetFullPath(Path.Combine(folder, companion));
            if (from != to && File.Exists(from))
            {
                File.Copy(from, to, overwrite: true);
            }
        }

        config.Write(Path.Combine(folder, "config.json"), decoder.Dtype);
        SafetensorsWriter.Write(
            Path.Combine(folder, WeightsFile), decoder.named_parameters().Select(entry => KeyValuePair.Create(entry.name, (Tensor)entry.parameter)));
    }

    /// <summary>Copies the model in one folder (configuration, tokenizer, weights) to another, and nothing else that is there.</summary>
    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Companions.Append("config.json").Append(WeightsFile).Where(file => File.Exists(Path.Combine(from, file))))
        {
            File.Copy(Path.Combine(from, file), Path.Combine(to, file), overwrite: true);
        }
    }

    private static ImmutableArray<int> ReadStopTokens(string folder, ModelConfig config)
    {
        string file = Path.Combine(folder, "generation_config.json");
        ImmutableArray<int> stops = File.Exists(file) ? JsonConfig.Open(file).Integers("eos_token_id") : [];
        stops = stops.IsEmpty ? config.StopTokens : stops;
        if (stops.IsEmpty)
        {
            throw new UserErrorException($"{folder}: neither generation_config.json nor config.json has an eos_token_id, so no answer could end.");
        }

        int outside = stops.FirstOrDefault(token => token < 0 || token >= config.VocabularySize, -1);
        return stops.Any(token => token < 0 || token >= config.VocabularySize)
            ? throw new UserErrorException($"{folder}: eos_token_id {outside} is outside the vocabulary of {config.VocabularySize} tokens.")
            : stops;
    }

    private static void ReadWeights(string folder, Decoder decoder)
    {
        string[] files = WeightFiles(folder);
        var opened = new List<SafetensorsFile>();
        try
        {
            var places = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
            foreach (string path in files)
            {
                SafetensorsFile file = SafetensorsFile.Open(path);
                opened.Add(file);
                foreach (string name in file.Entries.Keys.Where(name => !IsDerived(name)))
                {
                    if (!places.TryAdd(name, file))
                    {
                        throw new UserErrorException($"{path}: tensor {name} is in another shard too.");
                    }
                }
            }

            string source = files.Length == 1 ? files[0] : Path.Combine(folder, IndexFile);
            DropTiedHead(places, decoder, source);
            ParameterShapes.RequireMatch(decoder.Config, places.ToDictionary(place => place.Key, place => place.Value.Entries[place.Key].Shape.ToArray()), source);
            using IDisposable _ = no_grad();
            foreach ((string name, Parameter parameter) in decoder.named_parameters())
            {
                using Tensor stored = places[name].Read(name);
                parameter.copy_(stored);
            }
        }
        finally
        {
            opened.ForEach(file => file.Dispose());
        }
    }

    /// <summary>Old Llama files store the rotary frequencies, which follow from the configuration.</summary>
    private static bool IsDerived(string name) => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);

    /// <summary>Some files of tied models store the output head a second time. It must then equal the embedding.</summary>
    private static void DropTiedHead(Dictionary<string, SafetensorsFile> places, Decoder decoder, string source)
    {
        const string Head = "lm_head.weight";
        const string Embedding = "model.embed_tokens.weight";
        if (!decoder.Config.TiedEmbeddings || !places.TryGetValue(Head, out SafetensorsFile? file) || !places.TryGetValue(Embedding, out SafetensorsFile? other))
        {
            return;
        }

        using Tensor head = file.Read(Head);
        using Tensor embedding = other.Read(Embedding);
        if (!head.shape.SequenceEqual(embedding.shape) || head.dtype != embedding.dtype || !head.eq(embedding).all().item<bool>())
        {
            throw new UserErrorException($"{source}: {Head} differs from {Embedding}, but config.json has tie_word_embeddings = true.");
        }

        places.Remove(Head);
    }

    private static string[] WeightFiles(string folder)
    {
        string whole = Path.Combine(folder, WeightsFile);
        string index = Path.Combine(folder, IndexFile);
        if (File.Exists(whole))
        {
            return [whole];
        }

        if (!File.Exists(index))
        {
            throw new UserErrorException($"{whole} is missing, and there is no {IndexFile} for shards of it.");
        }

        JsonConfig map = JsonConfig.Open(index).Section("weight_map") ?? throw new UserErrorException($"{index}: key weight_map is missing.");
        return
        [
            .. map.Element.EnumerateObject()
                .Select(entry => entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : throw new UserErrorException($"{index}: weight_map.{entry.Name} is not a file name."))
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal)
                .Select(name => Path.Combine(folder, name)),
        ];
    }
}
