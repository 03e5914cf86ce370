using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Models.Simd;
using Ghpo.Policy;
using Ghpo.Rollout;
using Ghpo.Tests.Models;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Rollout;

/// <summary>The CPU's own way of decoding, against torch's and against itself. A processor without AVX-512 has nothing to test.</summary>
public sealed class SimdRowsTests
{
    private const int MaxLength = 200;

    public SimdRowsTests()
    {
        Assert.SkipUnless(SimdDecoder.IsSupported, "This processor has no AVX-512.");
        TorchThreads.UseOnThisThread(1);
    }

    /// <summary>Head sizes and widths that are and are not multiples of a register; groups of 1, 2, 3 and 7 query heads a key head; all three families.</summary>
    [Theory]
    [InlineData(ModelType.Qwen2, 96, 4, 2, 24, 256, true)]
    [InlineData(ModelType.Qwen2, 448, 7, 1, 64, 100, true)]
    [InlineData(ModelType.Qwen3, 64, 6, 2, 32, 172, false)]
    [InlineData(ModelType.Llama, 52, 2, 2, 26, 90, false)]
    public void Tokens_and_log_probabilities_are_those_of_the_full_forward_pass(ModelType type, int width, int heads, int keyValueHeads, int headSize, int inner, bool tied)
    {
        using IDisposable mode = no_grad();
        using DisposeScope scope = NewDisposeScope();
        ModelConfig config = TinyModel.Config(type) with
        {
            HiddenSize = width,
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            IntermediateSize = inner,
            TiedEmbeddings = tied,
            AttentionBias = type == ModelType.Llama,
            RopeScaling = type == ModelType.Llama ? new RopeScaling(Factor: 8, LowFrequencyFactor: 1, HighFrequencyFactor: 4, OriginalPositions: 32) : null,
        };
        using var decoder = new Decoder(config, CPU, ScalarType.Float32);
        decoder.Initialise(3);
        using GenerationEngine engine = Engine(config, decoder, ScalarType.Float32, slots: 8, threads: 1);

        foreach (int prompt in new[] { 1, 16, 17, 150 })
        {
            GenerationRequest request = Engines.Request("a", prompt, answers: 3, seed: 5, maxNewTokens: 40);
            foreach (Completion completion in Engines.Alone(engine, request))
            {
                float worst = Expected(decoder, request, completion).Zip(completion.LogProbs, (expected, actual) => Math.Abs(expected - actual)).Max();
                Assert.True(worst <= 1e-5, $"prompt of {prompt} tokens: log-probabilities differ by {worst}");
            }
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void A_request_gets_the_same_bits_alone_in_company_on_two_threads_and_when_memory_runs_out(ScalarType dtype)
    {
        ModelConfig config = TinyModel.Config() with { HiddenSize = 96, HeadSize = 24, IntermediateSize = 600, StopTokens = [256, 257, 258] };
        using Decoder decoder = TinyModel.Create(config);
        GenerationRequest[] requests =
        [
            .. Enumerable.Range(0, 12).Select(index => Engines.Request(
                $"r{index}", promptLength: 1 + index * 7, answers: 1 + index % 4, seed: (ulong)index, maxNewTokens: 20 + index * 6, topK: index % 5 == 1 ? 20 : 0)),
        ];
        using GenerationEngine single = Engine(config, decoder, dtype, slots: 4, threads: 1);
        using GenerationEngine pair = Engine(config, decoder, dtype, slots: 40, threads: 2);

        // Room for one and a half of the longest sequences: nearly everybody has to give way and begin anew.
        long scarce = PagedCache.BytesOf(config, dtype == ScalarType.BFloat16, MaxLength) * 3 / 2;
        using GenerationEngine poor = Engine(config, decoder, dtype, slots: 40, threads: 1, scarce);

        IReadOnlyDictionary<string, GenerationResult> together = Engines.Run(pair, requests);
        IReadOnlyDictionary<string, GenerationResult> squeezed = Engines.Run(poor, requests.Reverse());
        Assert.True(poor.TokensSampled == pair.TokensSampled, "no token is sampled twice");
        foreach (GenerationRequest request in requests)
        {
            ImmutableArray<Completion> alone = Engines.Alone(single, request);
            AssertSameBits(alone, together[(string)request.Tag].Completions);
            AssertSameBits(alone, squeezed[(string)request.Tag].Completions);
        }
    }

    [Fact]
    public void Sequences_that_wait_for_memory_are_counted_and_those_that_have_it_are_not()
    {
        ModelConfig config = TinyModel.Config() with { StopTokens = [] };
        using Decoder decoder = TinyModel.Create(config);
        GenerationRequest[] requests = [.. Enumerable.Range(0, 4).Select(index => Engines.Request($"r{index}", promptLength: 9, answers: 2, seed: (ulong)index, maxNewTokens: 150))];
        using GenerationEngine rich = Engine(config, decoder, ScalarType.Float32, slots: 8, threads: 1);
        using GenerationEngine poor = Engine(config, decoder, ScalarType.Float32, slots: 8, threads: 1, PagedCache.BytesOf(config, narrow: false, MaxLength) * 3);
        Assert.Equal((0, 0), (MostStarved(rich), rich.StarvedSequences));
        Assert.InRange(MostStarved(poor), 4, 7);
        Assert.Equal(0, poor.StarvedSequences);

        int MostStarved(GenerationEngine engine)
        {
            int most = 0;
            foreach (GenerationRequest request in requests)
            {
                engine.Submit(request);
            }

            while (engine.RunningSequences > 0)
            {
                engine.Step();
                most = Math.Max(most, engine.StarvedSequences);
            }

            return most;
        }
    }

    [Fact]
    public void A_withdrawn_request_waits_for_memory_no_more()
    {
        ModelConfig config = TinyModel.Config() with { StopTokens = [] };
        using Decoder decoder = TinyModel.Create(config);
        using GenerationEngine engine = Engine(config, decoder, ScalarType.Float32, slots: 8, threads: 1, PagedCache.BytesOf(config, narrow: false, MaxLength) * 3);
        for (int index = 0; index < 4; index++)
        {
            engine.Submit(Engines.Request($"r{index}", promptLength: 9, answers: 2, seed: (ulong)index, maxNewTokens: 150));
        }

        while (engine.StarvedSequences == 0)
        {
            Assert.True(engine.RunningSequences > 0, "nobody had to wait");
            engine.Step();
        }

        for (int index = 0; index < 4; index++)
        {
            engine.Withdraw($"r{index}");
        }

        Assert.Equal((0, 0), (engine.RunningSequences, engine.StarvedSequences));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void The_engine_s_self_test_passes(ScalarType dtype)
    {
        ModelConfig config = TinyModel.Config();
        using Decoder decoder = TinyModel.Create(config);
        using PolicySnapshot policy = Engines.Snapshot(decoder);
        using GenerationEngine engine = Engine(config, decoder, dtype, slots: EngineSelfTest.Groups * 2, threads: 2);
        Assert.Null(EngineSelfTest.Run(engine, policy, config.VocabularySize, answers: 2).Fault);
    }

    [Fact]
    public void Greedy_tokens_are_those_of_torch_s_decoder()
    {
        ModelConfig config = TinyModel.Config();
        using Decoder decoder = TinyModel.Create(config);
        using PolicySnapshot policy = Engines.Snapshot(decoder);
        using GenerationEngine own = Engine(config, decoder, ScalarType.Float32, slots: 4, threads: 1);
        using var torch = new GenerationEngine(config, config.StopTokens, slots: 4, MaxLength, new TorchRows(config, CPU, ScalarType.Float32, rows: 4, MaxLength));
        torch.LoadPolicy(policy);
        GenerationRequest request = Engines.Request("a", promptLength: 9, answers: 1, seed: 1, maxNewTokens: 60, temperature: 0);

        Assert.Equal(Engines.Alone(torch, request)[0].Tokens, Engines.Alone(own, request)[0].Tokens);
    }

    [Fact]
    public void A_budget_that_does_not_hold_one_sequence_is_refused_with_both_numbers()
    {
        string message = Assert.Throws<UserErrorException>(() => new GenerationEngine(
            TinyModel.Config(), CPU, ScalarType.Float32, stopTokens: [], slots: 4, MaxLength, cacheBytes: 4096)).Message;
        Assert.Contains("one sequence of 200 tokens take", message, StringComparison.Ordinal);
        Assert.Contains("rollout.cache-bytes is 4,096", message, StringComparison.Ordinal);
    }

    private static GenerationEngine Engine(ModelConfig config, Decoder decoder, ScalarType dtype, int slots, int threads, long cacheBytes = 1 << 28)
    {
        using PolicySnapshot policy = Engines.Snapshot(decoder);
        var engine = new GenerationEngine(config, config.StopTokens, slots, MaxLength, new SimdRows(config, dtype, slots, MaxLength, cacheBytes, threads));
        engine.LoadPolicy(policy);
        return engine;
    }

    private static float[] Expected(Decoder decoder, GenerationRequest request, Completion completion)
    {
        using DisposeScope scope = NewDisposeScope();
        long[] ids = [.. request.Prompt.Concat(completion.Tokens).Select(token => (long)token)];
        Tensor logProbs = decoder.Logits(decoder.Hidden(tensor(ids).unsqueeze(0)))[0].log_softmax(-1);
        return [.. completion.Tokens.Select((token, index) => logProbs[request.Prompt.Length - 1 + index][token].item<float>())];
    }

    private static void AssertSameBits(ImmutableArray<Completion> expected, ImmutableArray<Completion> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        foreach ((Completion one, Completion other) in expected.Zip(actual))
        {
            Assert.Equal(one.Tokens, other.Tokens);
            Assert.Equal(one.LogProbs.Select(BitConverter.SingleToInt32Bits), other.LogProbs.Select(BitConverter.SingleToInt32Bits));
            Assert.Equal(one.Finish, other.Finish);
        }
    }
}
