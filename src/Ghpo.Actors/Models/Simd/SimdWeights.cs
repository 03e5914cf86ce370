using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Models.Simd;

/// <summary>A decoder's weights, packed into one piece of memory in the order of their use. Allocated once; a new policy is packed over the old one.</summary>
internal sealed unsafe class SimdWeights : IDisposable
{
    private readonly ModelConfig _config;
    private readonly ScalarType _dtype;
    private readonly List<IDisposable> _owned = [];
    private readonly PackedMatrix? _head;

    internal SimdWeights(ModelConfig config, ScalarType dtype)
    {
        _config = config;
        _dtype = dtype;
        int queries = config.Heads * config.HeadSize;
        int keys = config.KeyValueHeads * config.HeadSize;
        bool narrow = dtype == ScalarType.BFloat16;
        (int, int) vocabulary = (config.VocabularySize, config.HiddenSize);
        (int, int) queryKeyValue = (queries + 2 * keys, config.HiddenSize);
        (int, int) output = (config.HiddenSize, queries);
        (int, int) gateUp = (PagedCache.Padded(config.IntermediateSize) * 2, config.HiddenSize);
        (int, int) down = (config.HiddenSize, config.IntermediateSize);
        NativeBuffer memory = Own(new NativeBuffer(
            (config.TiedEmbeddings ? 1 : 2) * BytesOf(vocabulary) + config.Layers * (BytesOf(queryKeyValue) + BytesOf(output) + BytesOf(gateUp) + BytesOf(down))));
        long used = 0;
        Embedding = Matrix(vocabulary);
        Norm = Vector(config.HiddenSize);
        Layers =
        [
            .. Enumerable.Range(0, config.Layers).Select(_ => new SimdLayer(
                InputNorm: Vector(config.HiddenSize),
                QueryKeyValue: Matrix(queryKeyValue),
                QueryKeyValueBias: config.HasQueryKeyValueBias ? Vector(queries + 2 * keys) : null,
                QueryNorm: config.HasQueryKeyNorm ? Vector(config.HeadSize) : null,
                KeyNorm: config.HasQueryKeyNorm ? Vector(config.HeadSize) : null,
                Output: Matrix(output),
                OutputBias: config.HasOutputBias ? Vector(config.HiddenSize) : null,
                PostAttentionNorm: Vector(config.HiddenSize),
                GateUp: Matrix(gateUp),
                Down: Matrix(down))),
        ];
        _head = config.TiedEmbeddings ? null : Matrix(vocabulary);

        long BytesOf((int Columns, int Depth) shape) => PackedMatrix.BytesOf(shape.Columns, shape.Depth, narrow);

        PackedMatrix Matrix((int Columns, int Depth) shape)
        {
            var matrix = new PackedMatrix(shape.Columns, shape.Depth, narrow, memory.Start + used);
            used += BytesOf(shape);
            return matrix;
        }

        // Biases are added to whole panels.
        NativeBuffer Vector(int length) => Own(NativeBuffer.Floats((length + PackedMatrix.PanelColumns - 1) / PackedMatrix.PanelColumns * PackedMatrix.PanelColumns));

        T Own<T>(T owned)
            where T : IDisposable
        {
            _owned.Add(owned);
            return owned;
        }
    }

    internal PackedMatrix Embedding { get; }

    internal PackedMatrix Head => _head ?? Embedding;

    internal NativeBuffer Norm { get; }

    internal SimdLayer[] Layers { get; }

    internal void Load(IReadOnlyDictionary<string, Tensor> weights, string source, Crew crew)
    {
        ParameterShapes.RequireMatch(_config, weights.ToDictionary(entry => entry.Key, entry => entry.Value.shape), source);
        using IDisposable _ = no_grad();
        int queries = _config.Heads * _config.HeadSize;
        int keys = _config.KeyValueHeads * _config.HeadSize;
        Embedding.Pack(weights["model.embed_tokens.weight"], crew, row => row);
        Copy(weights["model.norm.weight"], Norm, 0);
        _head?.Pack(weights["lm_head.weight"], crew, row => row);
        for (int index = 0; index < Layers.Length; index++)
        {
            Tensor Of(string name) => weights[$"model.layers.{index}.{name}"];
            SimdLayer layer = Layers[index];
            Copy(Of("input_layernorm.weight"), layer.InputNorm, 0);
            Copy(Of("post_attention_layernorm.weight"), layer.PostAttentionNorm, 0);
            layer.QueryKeyValue.Pack(Of("self_attn.q_proj.weight"), crew, row => row);
            layer.QueryKeyValue.Pack(Of("self_attn.k_proj.weight"), crew, row => queries + row);
            layer.QueryKeyValue.Pack(Of("self_attn.v_proj.weight"), crew, row => queries + keys + row);
            if (layer.QueryKeyValueBias is not null)
            {
                Copy(Of("self_attn.q_proj.bias"), layer.QueryKeyValueBias, 0);
                Copy(Of("self_attn.k_proj.bias"), layer.QueryKeyValueBias, queries);
                Copy(Of("self_attn.v_proj.bias"), layer.QueryKeyValueBias, queries + keys);
            }

            if (layer.QueryNorm is not null)
            {
                Copy(Of("self_attn.q_norm.weight"), layer.QueryNorm, 0);
                Copy(Of("self_attn.k_norm.weight"), layer.KeyNorm!, 0);
            }

            layer.Output.Pack(Of("self_attn.o_proj.weight"), crew, row => row);
            if (layer.OutputBias is not null)
            {
                Copy(Of("self_attn.o_proj.bias"), layer.OutputBias, 0);
            }

            // 16 columns of gate and the same 16 of up share a panel.
            layer.GateUp.Pack(Of("mlp.gate_proj.weight"), crew, row => row / 16 * 32 + row % 16);
            layer.GateUp.Pack(Of("mlp.up_proj.weight"), crew, row => row / 16 * 32 + 16 + row % 16);
            layer.Down.Pack(Of("mlp.down_proj.weight"), crew, row => row);
        }
    }

    public void Dispose() => _owned.ForEach(owned => owned.Dispose());

    private void Copy(Tensor from, NativeBuffer to, int start)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor rounded = from.to(_dtype).to(ScalarType.Float32).cpu().contiguous();
        new ReadOnlySpan<float>((void*)TensorMemory.Address(rounded), (int)from.shape[0]).CopyTo(new Span<float>(to.Singles + start, (int)from.shape[0]));
    }
}

/// <summary>One layer of <see cref="SimdWeights"/>.</summary>
/// <param name="QueryKeyValue"><c>[(H + 2·Hkv)·D, d]</c></param>
/// <param name="Output"><c>[d, H·D]</c></param>
/// <param name="GateUp">Columns of gate and up in turns of 16.</param>
/// <param name="Down"><c>[d, ff]</c></param>
internal sealed record SimdLayer(
    NativeBuffer InputNorm,
    PackedMatrix QueryKeyValue,
    NativeBuffer? QueryKeyValueBias,
    NativeBuffer? QueryNorm,
    NativeBuffer? KeyNorm,
    PackedMatrix Output,
    NativeBuffer? OutputBias,
    NativeBuffer PostAttentionNorm,
    PackedMatrix GateUp,
    PackedMatrix Down);
