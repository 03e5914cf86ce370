using static TorchSharp.torch;

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

    /// <summary>Bytes that training all weights takes whatever the batch: weights and gradients in <paramref name="dtype"/>, AdamW's two moments in float32.</summary>
    public (long Weights, long Gradients, long Moments) FullTraining(ScalarType dtype)
    {
        long width = SafetensorsType.Width(dtype);
        return (Parameters * width, Parameters * width, Parameters * 2 * sizeof(float));
    }

    /// <summary>Parameters of adapters of rank r on every linear layer of the stack: r·(in + out) each.</summary>
    public long AdapterParameters(int rank) =>
        Tensors.Where(tensor => tensor.Name.EndsWith("_proj.weight", StringComparison.Ordinal)).Sum(tensor => rank * (tensor.Shape[0] + tensor.Shape[1]));
}
