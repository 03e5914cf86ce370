using System.Collections.Immutable;
using Ghpo.Configuration;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>Model folders in Hugging Face layout: config.json, tokenizer.json, model.safetensors (or its shards with an index).</summary>
public static class ModelFolder
{
    /// <summary>Bytes of a weight file at most, unless one tensor alone takes more; what Hugging Face's own tools keep to.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    private const string TokenizerName = "tokenizer.json";
    private const string EmbeddingName = "model.embed_tokens.weight";

    /// <summary>Files that a save takes over unchanged.</summary>
    private static readonly ImmutableArray<string> Companions =
    [
        TokenizerName, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
        "chat_template.jinja", GenerationConfig.FileName,
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
        ModelTokenizer tokenizer = ModelTokenizer.Load(Path.Combine(folder, TokenizerName));
        RequireRows(config, tokenizer, folder);
        ImmutableArray<int> stops = GenerationConfig.Read(folder, config).StopTokens;
        using WeightFiles weights = WeightFiles.Open(folder);
        weights.RequireFit(config);
        var decoder = new Decoder(config, device, dtype);
        try
        {
            weights.CopyTo(decoder);
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
    /// <param name="maxShardBytes">Weights that take more are written in several files.</param>
    public static void Save(string folder, ModelConfig config, Decoder decoder, string source, long maxShardBytes = long.MaxValue)
    {
        Directory.CreateDirectory(folder);
        CopyCompanions(source, folder);
        config.Write(Path.Combine(folder, "config.json"), decoder.Dtype);
        WeightFiles.Write(folder, decoder.named_parameters().Select(entry => TensorSource.Of(entry.name, entry.parameter)), maxShardBytes);
    }

    /// <summary>Copies the model in one folder (configuration, tokenizer, weights) to another, and nothing else that is there.</summary>
    /// <param name="maxShardBytes">Weights that take more are written in several files.</param>
    public static void Copy(string from, string to, long maxShardBytes = DefaultShardBytes)
    {
        Directory.CreateDirectory(to);
        CopyCompanions(from, to);
        File.Copy(Path.Combine(from, "config.json"), Path.Combine(to, "config.json"), overwrite: true);
        using WeightFiles weights = WeightFiles.Open(from);
        WeightFiles.Write(to, weights.Tensors, maxShardBytes);
    }

    private static void CopyCompanions(string source, string folder)
    {
        foreach (string companion in Companions)
        {
            string from = Path.GetFullPath(Path.Combine(source, companion));
            string to = Path.GetFullPath(Path.Combine(folder, companion));
            if (from != to && File.Exists(from))
            {
                File.Copy(from, to, overwrite: true);
            }
        }
    }

    /// <exception cref="UserErrorException">The tokenizer has ids that the embedding has no row for.</exception>
    internal static void RequireRows(ModelConfig config, ModelTokenizer tokenizer, string folder)
    {
        if (tokenizer.VocabularySize > config.VocabularySize)
        {
            throw new UserErrorException(
                $"{Path.Combine(folder, TokenizerName)}: its ids go up to {tokenizer.VocabularySize - 1}, but {EmbeddingName} has {config.VocabularySize} rows (vocab_size in config.json); the tokenizer is another model's.");
        }
    }
}
