using System.Collections.Immutable;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Rollout;
using Ghpo.Tests.Models;
using static TorchSharp.torch;

namespace Ghpo.Tests.Rollout;

/// <summary>Engines on random tiny models, and requests for them.</summary>
internal static class Engines
{
    internal static GenerationEngine Create(ModelConfig config, int slots, int maxLength = 128, ScalarType dtype = ScalarType.Float32, Action<Decoder>? change = null)
    {
        var engine = new GenerationEngine(config, CPU, dtype, config.StopTokens, slots, maxLength);
        using Decoder decoder = TinyModel.Create(config);
        change?.Invoke(decoder);
        using PolicySnapshot policy = Snapshot(decoder);
        engine.LoadPolicy(policy);
        return engine;
    }

    internal static PolicySnapshot Snapshot(Decoder decoder) => new(
        epoch: 1,
        new PolicyVersion(0),
        hash: "",
        decoder.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter.clone().detach_()));

    internal static GenerationRequest Request(string tag, int promptLength, int answers, ulong seed, int maxNewTokens = 40, double temperature = 1, int topK = 0, double topP = 1) => new(
        tag,
        [.. Enumerable.Range(0, promptLength).Select(index => (int)((seed * 31 + (ulong)index * 7) % 256))],
        answers,
        seed,
        new SamplingOptions(temperature, topK, topP, maxNewTokens));

    /// <summary>Submits each request as soon as there is room for it, in order, and decodes until all are done.</summary>
    internal static IReadOnlyDictionary<string, GenerationResult> Run(GenerationEngine engine, params IEnumerable<GenerationRequest> requests)
    {
        var waiting = new Queue<GenerationRequest>(requests);
        var results = new Dictionary<string, GenerationResult>();
        while (waiting.Count > 0 || engine.RunningSequences > 0)
        {
            while (waiting.TryPeek(out GenerationRequest? next) && next.Answers <= engine.FreeSlots)
            {
                engine.Submit(waiting.Dequeue());
            }

            foreach (GenerationResult result in engine.Step())
            {
                results.Add((string)result.Tag, result);
            }
        }

        return results;
    }

    internal static ImmutableArray<Completion> Alone(GenerationEngine engine, GenerationRequest request) =>
        Run(engine, request)[(string)request.Tag].Completions;
}
