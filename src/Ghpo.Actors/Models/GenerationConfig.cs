using System.Collections.Immutable;
using Ghpo.Configuration;

namespace Ghpo.Models;

/// <summary>What a model folder says about sampling: generation_config.json, and for stop tokens config.json.</summary>
/// <param name="StopTokens">Tokens that end an answer; never empty.</param>
/// <param name="Temperature">0 where do_sample is false; null where the file says nothing, as for the others.</param>
public sealed record GenerationConfig(ImmutableArray<int> StopTokens, double? Temperature, int? TopK, double? TopP)
{
    public const string FileName = "generation_config.json";

    /// <exception cref="UserErrorException">The file is malformed, or no answer could end.</exception>
    public static GenerationConfig Read(string folder, ModelConfig config)
    {
        string file = Path.Combine(folder, FileName);
        JsonConfig? json = File.Exists(file) ? JsonConfig.Open(file) : null;
        ImmutableArray<int> stops = json?.Integers("eos_token_id") ?? [];
        string source = stops.IsEmpty ? Path.Combine(folder, "config.json") : file;
        stops = stops.IsEmpty ? config.StopTokens : stops;
        if (stops.IsEmpty)
        {
            throw new UserErrorException($"{folder}: neither {FileName} nor config.json has an eos_token_id, so no answer could end.");
        }

        foreach (int token in stops.Where(token => token < 0 || token >= config.VocabularySize))
        {
            throw new UserErrorException($"{source}: eos_token_id {token} is outside the vocabulary of {config.VocabularySize} tokens.");
        }

        bool greedy = json is not null && json.Has("do_sample") && !json.Flag("do_sample", true);
        return new GenerationConfig(
            stops,
            greedy ? 0 : json is not null && json.Has("temperature") ? json.Number("temperature") : null,
            json is not null && json.Has("top_k") ? json.Positive("top_k") : null,
            json is not null && json.Has("top_p") ? json.Number("top_p") : null);
    }
}
