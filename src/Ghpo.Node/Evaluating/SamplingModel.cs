using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Node.Evaluating;

/// <summary>A model folder that is there to be sampled from. To be made and used on one thread.</summary>
internal sealed class SamplingModel : IDisposable
{
    private readonly string _folder;
    private readonly Device _device;
    private readonly ScalarType _dtype;
    private LoadedModel? _weights;

    /// <exception cref="UserErrorException">The folder is no model that can be loaded.</exception>
    public SamplingModel(string path, string device, ComputeType dtype, int threads)
    {
        TorchThreads.UseOnThisThread(threads);
        _folder = ModelFolder.Resolve(path);
        _device = Devices.Parse(device);
        _dtype = dtype.Scalar();
        _weights = ModelFolder.Load(_folder, _device, _dtype);
        Config = _weights.Config;
        Tokenizer = ModelTokenizer.Load(Path.Combine(_folder, "tokenizer.json"));
        Generation = GenerationConfig.Read(_folder, Config);
    }

    public ModelConfig Config { get; }

    public ModelTokenizer Tokenizer { get; }

    public GenerationConfig Generation { get; }

    /// <exception cref="UserErrorException">The template is unknown, or the vocabulary lacks its tokens.</exception>
    public PromptTemplate Template(string name)
    {
        PromptTemplate template = PromptTemplate.Resolve(name, _folder);
        template.RequireTokens(Tokenizer);
        return template;
    }

    /// <summary>An engine that holds the weights; they are not kept a second time.</summary>
    /// <exception cref="UserErrorException">The model has not so many positions.</exception>
    public IGenerationEngine Engine(int slots, int maxLength)
    {
        LoadedModel model = _weights ?? throw new InvalidOperationException("The weights have been handed to an engine already.");
        using DisposeScope scope = NewDisposeScope();
        var engine = new GenerationEngine(Config, _device, _dtype, Generation.StopTokens, slots, maxLength);
        using (var policy = new PolicySnapshot(
            epoch: 0, new PolicyVersion(0), hash: "", model.Decoder.named_parameters().ToDictionary(named => named.name, named => named.parameter.detach())))
        {
            engine.LoadPolicy(policy);
        }

        model.Dispose();
        _weights = null;
        return engine;
    }

    public void Dispose() => _weights?.Dispose();
}
