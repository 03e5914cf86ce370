namespace Ghpo.Models;

/// <summary>A tensor as a file holds it.</summary>
public sealed record StoredTensor(string Name, string Dtype, IReadOnlyList<long> Shape, long Elements, long Bytes);

/// <summary>What a model folder holds, found without reading a weight.</summary>
/// <param name="Tensors">In ordinal order of their names; a head that repeats the embedding is left out.</param>
public sealed record ModelInspection(ModelConfig Config, GenerationConfig Generation, int TokenizerSize, IReadOnlyList<StoredTensor> Tensors)
{
    public long Parameters => Tensors.Sum(tensor => tensor.Elements);

    public long Bytes => Tensors.Sum(tensor => tensor.Bytes);

    /// <exception cref="Configuration.UserErrorException">The folder is no model that could be loaded.</exception>
    public static ModelInspection Read(string folder)
    {
        ModelConfig config = ModelConfig.Read(Path.Combine(folder, "config.json"));
        ModelTokenizer tokenizer = ModelTokenizer.Load(Path.Combine(folder, "tokenizer.json"));
        ModelFolder.RequireRows(config, tokenizer, folder);
        GenerationConfig generation = GenerationConfig.Read(folder, config);
        using WeightFiles weights = WeightFiles.Open(folder);
        weights.RequireFit(config);
        return new ModelInspection(
            config,
            generation,
            tokenizer.VocabularySize,
            [
                .. weights.Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => new StoredTensor(
                    entry.Key, SafetensorsType.Name(entry.Value.Dtype), entry.Value.Shape, entry.Value.Bytes / SafetensorsType.Width(entry.Value.Dtype), entry.Value.Bytes)),
            ]);
    }
}
