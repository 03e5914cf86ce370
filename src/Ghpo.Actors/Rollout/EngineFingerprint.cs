using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Ghpo.Models;
using Ghpo.Policy;
using TorchSharp;
using static TorchSharp.torch;

namespace Ghpo.Rollout;

/// <summary>
/// What the engine of this machine makes of a fixed tiny model and fixed prompts, so that two machines can tell beforehand whether their results are the same bits.
/// The weights are computed with integers and float64, so they are the same everywhere; whatever differs is the engine's arithmetic.
/// <para>Equal fingerprints are necessary, not sufficient: libraries choose kernels by the sizes of matrices too, and those of a real model are other ones.</para>
/// </summary>
/// <param name="Processor">Architecture and instruction sets that kernels are chosen by.</param>
public sealed record EngineFingerprint(string Processor, TypeFingerprint Float32, TypeFingerprint Bfloat16)
{
    private const int Answers = 2;

    private static readonly ModelConfig Config = new(
        ModelType.Qwen2,
        VocabularySize: 320,
        HiddenSize: 64,
        IntermediateSize: 176,
        Layers: 2,
        Heads: 4,
        KeyValueHeads: 2,
        HeadSize: 16,
        MaxPositions: EngineSelfTest.MaxLength,
        NormEpsilon: 1e-6,
        RopeTheta: 10_000,
        TiedEmbeddings: true,
        AttentionBias: false,
        StopTokens: []);

    /// <summary>Runs the self-test of each type, in well under a second, on a thread of its own.</summary>
    public static EngineFingerprint OfThisMachine(int threads) =>
        TorchThreads.Run(threads, () => new EngineFingerprint(InstructionSets(), Of(ScalarType.Float32), Of(ScalarType.BFloat16)));

    /// <summary>Why a worker with this fingerprint cannot take part in a deterministic run whose learner has <paramref name="learner"/>'s; null: it can.</summary>
    public string? WhyNot(EngineFingerprint learner, bool bfloat16)
    {
        (TypeFingerprint mine, TypeFingerprint expected) = bfloat16 ? (Bfloat16, learner.Bfloat16) : (Float32, learner.Float32);
        string type = bfloat16 ? "bfloat16" : "float32";
        const string WayOut = "leave this machine out, run learner and workers on one kind of processor, or start the run with run.deterministic = false";
        return mine.Fault.Length > 0
            ? $"the self-test of its engine failed ({type} on {Processor}): {mine.Fault}; {WayOut}"
            : mine.Digest != expected.Digest
                ? $"its engine does not reproduce the learner's bits in {type}: it computes on {Processor} and gets {Short(mine.Digest)}, the learner on {learner.Processor} gets {Short(expected.Digest)}; {WayOut}"
                : null;
    }

    private static string Short(string digest) => digest.Length > 12 ? digest[..12] : digest.Length == 0 ? "nothing" : digest;

    private static TypeFingerprint Of(ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        GenerationEngine engine;
        try
        {
            engine = new GenerationEngine(Config, CPU, dtype, Config.StopTokens, EngineSelfTest.Groups * Answers, EngineSelfTest.MaxLength);
        }
        catch (Configuration.UserErrorException unsupported)
        {
            return new TypeFingerprint("", unsupported.Message);
        }

        using (engine)
        using (var policy = new PolicySnapshot(epoch: 0, new PolicyVersion(0), hash: "", Weights(dtype)))
        {
            (string? fault, string digest) = EngineSelfTest.Run(engine, policy, Config.VocabularySize, Answers);
            return new TypeFingerprint(digest, fault ?? "");
        }
    }

    /// <summary>Uniform in (−0.25, 0.25), norms around 1: logits that tell tokens apart.</summary>
    private static Dictionary<string, Tensor> Weights(ScalarType dtype)
    {
        var weights = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, long[] shape) in ParameterShapes.Of(Config).OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            int index = weights.Count;
            double centre = name.Contains("norm", StringComparison.Ordinal) ? 1 : 0;
            float[] values = [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (product, size) => product * size))
                .Select(element => (float)(centre + (0.5 * (CounterRandom.Uniform(seed: 1, index, element) - 0.5))))];
            weights.Add(name, tensor(values, shape).to(dtype).DetachFromDisposeScope());
        }

        return weights;
    }

    private static string InstructionSets()
    {
        (string Name, bool Here)[] sets =
        [
            ("SSE4.2", Sse42.IsSupported), ("AVX", Avx.IsSupported), ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported), ("AVX-512F", Avx512F.IsSupported),
            ("AVX-512BW", Avx512BW.IsSupported), ("AVX-512DQ", Avx512DQ.IsSupported), ("AVX-512VBMI", Avx512Vbmi.IsSupported), ("AdvSimd", AdvSimd.IsSupported),
        ];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{RuntimeInformation.ProcessArchitecture} with {string.Join(", ", sets.Where(set => set.Here).Select(set => set.Name).DefaultIfEmpty("no vector instructions"))}");
    }
}

/// <summary>The self-test of one numeric type.</summary>
/// <param name="Digest">SHA-256, in lower-case hex, of the tokens and log-probabilities it gave; "" where the engine cannot compute the type.</param>
/// <param name="Fault">Why its results cannot be relied on; "": they can.</param>
public sealed record TypeFingerprint(string Digest, string Fault);
