using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Rollout;
using Ghpo.Tests.Models;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Rollout;

public sealed class GenerationEngineTests
{
    public GenerationEngineTests() => TorchThreads.UseOnThisThread(1);

    [Fact]
    public void Answers_that_wait_for_a_row_are_seen_with_what_they_have()
    {
        ModelConfig config = TinyModel.Config() with { StopTokens = [] };
        using GenerationEngine engine = Engines.Create(config, slots: 4);
        engine.Submit(Engines.Request("a", 5, answers: 2, seed: 1, maxNewTokens: 3));
        Assert.Equal([0, 0], engine.Progress.Select(answer => answer.Tokens.Length));
        engine.Step();
        engine.Submit(Engines.Request("b", 5, answers: 2, seed: 2, maxNewTokens: 3));
        Assert.Equal([("a", 0, 1), ("a", 1, 1), ("b", 0, 0), ("b", 1, 0)], engine.Progress.Select(answer => ((string)answer.Tag, answer.Answer, answer.Tokens.Length)).Order());
    }

    [Fact]
    public void A_withdrawn_request_leaves_its_places_and_no_trace_in_the_others()
    {
        ModelConfig config = TinyModel.Config() with { StopTokens = [] };
        GenerationRequest wanted = Engines.Request("wanted", 5, answers: 2, seed: 1, maxNewTokens: 9);
        using GenerationEngine engine = Engines.Create(config, slots: 8);
        ImmutableArray<Completion> alone = Engines.Alone(engine, wanted);
        engine.Submit(Engines.Request("running", 7, answers: 3, seed: 2));
        engine.Submit(wanted);
        engine.Step();
        engine.Submit(Engines.Request("waiting", 4, answers: 2, seed: 3));
        engine.Withdraw("waiting");
        Assert.Equal(5, engine.RunningSequences);
        engine.Step();
        engine.Withdraw("running");
        engine.Withdraw("never submitted");
        Assert.Equal((2, 6), (engine.RunningSequences, engine.FreeSlots));
        var results = new List<GenerationResult>();
        while (engine.RunningSequences > 0)
        {
            results.AddRange(engine.Step());
        }

        AssertSameBits(alone, Assert.Single(results).Completions);
    }

    [Fact]
    public void After_a_switch_each_token_is_the_new_policy_s_after_the_whole_answer_so_far()
    {
        const int SwitchAt = 5;
        using IDisposable mode = no_grad();
        using DisposeScope scope = NewDisposeScope();
        ModelConfig config = TinyModel.Config() with { StopTokens = [] };
        using Decoder first = TinyModel.Create(config, seed: 1);
        using Decoder second = TinyModel.Create(config, seed: 2);
        using PolicySnapshot old = Engines.Snapshot(first);
        using var next = new PolicySnapshot(1, new PolicyVersion(7), "", Engines.Snapshot(second).Weights);
        GenerationRequest[] requests = [Engines.Request("a", 9, 2, seed: 3, maxNewTokens: 12), Engines.Request("b", 5, 1, seed: 4, maxNewTokens: 20)];

        ImmutableArray<Completion> Switched(int slots, params GenerationRequest[] together)
        {
            using var engine = new GenerationEngine(config, CPU, ScalarType.Float32, [], slots, maxLength: 64);
            engine.LoadPolicy(old);
            Array.ForEach(together, engine.Submit);
            List<GenerationResult> results = [];
            for (int step = 0; engine.RunningSequences > 0; step++)
            {
                if (step == SwitchAt)
                {
                    engine.SwitchPolicy(next);
                }

                results.AddRange(engine.Step());
            }

            return results.Single(result => (string)result.Tag == "a").Completions;
        }

        ImmutableArray<Completion> answers = Switched(8, requests);
        AssertSameBits(Switched(2, requests[0]), answers);
        foreach (Completion answer in answers)
        {
            Assert.Equal([new PolicySwitch(SwitchAt, new PolicyVersion(7))], answer.Switches);
            TokenBatch batch = TokenBatch.Of([new TokenSequence(requests[0].Prompt, answer.Tokens)], CPU);
            float[] before = TokenLogProbs.Of(first, batch, temperature: 1).LogProbs.data<float>().ToArray();
            float[] after = TokenLogProbs.Of(second, batch, temperature: 1).LogProbs.data<float>().ToArray();
            for (int token = 0; token < answer.Tokens.Length; token++)
            {
                (float own, float other) = token < SwitchAt ? (before[token], after[token]) : (after[token], before[token]);
                Assert.True(Math.Abs(answer.LogProbs[token] - own) < 1e-4, $"token {token}: {answer.LogProbs[token]:G9}, its policy says {own:G9} and the other one {other:G9}");
            }

            Assert.True(before.Zip(after, (one, two) => Math.Abs(one - two)).Max() > 0.1, "The two policies are the same.");
        }
    }

    /// <summary>Widths that are and are not multiples of a vector register, and one sequence that outgrows 512 positions.</summary>
    [Theory]
    [InlineData(96, 4, 2, 24, 256, 3, 60)]
    [InlineData(64, 8, 4, 8, 172, 2, 60)]
    [InlineData(52, 2, 1, 26, 100, 2, 60)]
    [InlineData(128, 4, 4, 32, 344, 1, 600)]
    public void A_request_gets_the_same_bits_alone_and_in_company(int width, int heads, int keyValueHeads, int headSize, int inner, int layers, int longest)
    {
        ModelConfig config = TinyModel.Config() with
        {
            HiddenSize = width,
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            IntermediateSize = inner,
            Layers = layers,
            StopTokens = [256, 257, 258],
        };
        using GenerationEngine small = Engines.Create(config, slots: 2, maxLength: 700);
        using GenerationEngine large = Engines.Create(config, slots: 37, maxLength: 700);
        GenerationRequest[] requests =
        [
            .. Enumerable.Range(0, 16).Select(index => Engines.Request(
                $"r{index}",
                promptLength: 1 + index * 5,
                answers: 1 + index % 2,
                seed: (ulong)index,
                maxNewTokens: index == 3 ? longest : 10 + index * 4,
                temperature: index % 4 == 3 ? 0 : 0.7 + 0.1 * (index % 4),
                topK: index % 5 == 1 ? 20 : 0,
                topP: index % 5 == 2 ? 0.8 : 1)),
        ];

        IReadOnlyDictionary<string, GenerationResult> together = Engines.Run(large, requests);
        IReadOnlyDictionary<string, GenerationResult> reversed = Engines.Run(large, requests.Reverse());

        foreach (GenerationRequest request in requests)
        {
            ImmutableArray<Completion> alone = Engines.Alone(small, request);
            AssertSameBits(alone, together[(string)request.Tag].Completions);
            AssertSameBits(alone, reversed[(string)request.Tag].Completions);
        }
    }

    [Fact]
    public void Different_seeds_and_different_answers_differ()
    {
        using GenerationEngine engine = Engines.Create(TinyModel.Config(), slots: 8);
        GenerationRequest request = Engines.Request("a", promptLength: 5, answers: 4, seed: 1);
        ImmutableArray<Completion> first = Engines.Alone(engine, request);
        ImmutableArray<Completion> again = Engines.Alone(engine, request);
        ImmutableArray<Completion> other = Engines.Alone(engine, request with { Seed = 2 });

        AssertSameBits(first, again);
        Assert.Equal(8, first.Concat(other).Select(completion => string.Join(' ', completion.Tokens)).Distinct().Count());
    }

    [Fact]
    public void Log_probabilities_are_those_of_the_full_forward_pass_at_the_temperature()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable mode = no_grad();
        ModelConfig config = TinyModel.Config();
        using Decoder decoder = TinyModel.Create(config);
        using GenerationEngine engine = Engines.Create(config, slots: 8);
        foreach (double temperature in new[] { 0, 0.5, 1 })
        {
            GenerationRequest request = Engines.Request("a", promptLength: 9, answers: 3, seed: 5, temperature: temperature, topK: temperature == 0.5 ? 3 : 0);
            foreach (Completion completion in Engines.Alone(engine, request))
            {
                long[] ids = [.. request.Prompt.Concat(completion.Tokens).Select(token => (long)token)];
                Tensor expected = decoder.Logits(decoder.Hidden(tensor(ids).unsqueeze(0)))[0].div(temperature == 0 ? 1 : temperature).log_softmax(-1);
                for (int index = 0; index < completion.Tokens.Length; index++)
                {
                    Tensor row = expected[request.Prompt.Length - 1 + index];
                    Assert.Equal(row[completion.Tokens[index]].item<float>(), completion.LogProbs[index], 1e-4f);
                    Assert.True(temperature != 0 || row.argmax().item<long>() == completion.Tokens[index]);
                }
            }
        }
    }

    [Fact]
    public void An_answer_ends_at_a_stop_token_which_it_keeps_or_at_its_longest_length()
    {
        using GenerationEngine engine = Engines.Create(TinyModel.Config() with { StopTokens = [.. Enumerable.Range(0, 30)] }, slots: 16);
        ImmutableArray<Completion> completions = Engines.Alone(engine, Engines.Request("a", promptLength: 3, answers: 16, seed: 1, maxNewTokens: 6));

        Assert.Contains(completions, completion => completion.Finish == FinishReason.Stopped);
        Assert.Contains(completions, completion => completion.Finish == FinishReason.Length);
        Assert.All(completions, completion =>
        {
            Assert.Equal(completion.Tokens.Length, completion.LogProbs.Length);
            Assert.All(completion.Tokens[..^1], token => Assert.True(token >= 30));
            Assert.Equal(completion.Finish == FinishReason.Stopped, completion.Tokens[^1] < 30);
            Assert.True(completion.Finish == FinishReason.Stopped || completion.Tokens.Length == 6);
        });
        Assert.Equal(completions.Sum(completion => completion.Tokens.Length), engine.TokensSampled);
        Assert.Equal(16, engine.FreeSlots);
    }

    [Fact]
    public void Decoding_leaves_no_tensor_behind()
    {
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (GenerationEngine engine = Engines.Create(TinyModel.Config(), slots: 8))
        {
            Engines.Run(engine, Engines.Request("a", 5, 4, 1, topK: 5));
            long once = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            Engines.Run(engine, Enumerable.Range(0, 12).Select(index => Engines.Request($"r{index}", 5 + index, 4, (ulong)index, topP: 0.9)));
            Assert.Equal(once, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Logits_that_are_not_finite_name_the_request_and_leave_a_usable_engine()
    {
        ModelConfig config = TinyModel.Config();
        using GenerationEngine engine = Engines.Create(config, slots: 8);
        using Decoder sound = TinyModel.Create(config);
        using PolicySnapshot good = Engines.Snapshot(sound);
        using Decoder diverged = TinyModel.Create(config);
        using (no_grad())
        {
            diverged.get_parameter("model.norm.weight")![3] = float.NaN;
        }

        using PolicySnapshot bad = Engines.Snapshot(diverged);
        GenerationRequest request = Engines.Request("group 4/7", promptLength: 5, answers: 2, seed: 1);
        ImmutableArray<Completion> expected = Engines.Alone(engine, request);

        engine.LoadPolicy(bad);
        engine.Submit(request);
        Assert.Contains("group 4/7", Assert.Throws<NonFiniteLogitsException>(() => engine.Step()).Message, StringComparison.Ordinal);
        Assert.Equal(0, engine.RunningSequences);

        engine.LoadPolicy(good);
        AssertSameBits(expected, Engines.Alone(engine, request));
    }

    [Fact]
    public void A_single_infinite_logit_is_an_error_too()
    {
        using GenerationEngine engine = Engines.Create(TinyModel.Config() with { TiedEmbeddings = false }, slots: 8, change: decoder =>
        {
            using IDisposable mode = no_grad();
            decoder.get_parameter("lm_head.weight")![299] = float.NegativeInfinity;
        });
        engine.Submit(Engines.Request("a", promptLength: 5, answers: 2, seed: 1));

        Assert.Throws<NonFiniteLogitsException>(() => engine.Step());
    }

    [Fact]
    public void Bfloat16_decodes_and_stays_near_float32()
    {
        using GenerationEngine narrow = Engines.Create(TinyModel.Config(), slots: 8, dtype: ScalarType.BFloat16);
        using GenerationEngine wide = Engines.Create(TinyModel.Config(), slots: 8);
        GenerationRequest request = Engines.Request("a", promptLength: 5, answers: 8, seed: 1, maxNewTokens: 1);

        Assert.Equal(Engines.Alone(wide, request).Average(completion => completion.LogProbs[0]), Engines.Alone(narrow, request).Average(completion => completion.LogProbs[0]), 0.5);
    }

    [Fact]
    public void What_does_not_fit_is_refused_before_anything_is_decoded()
    {
        ModelConfig config = TinyModel.Config();
        Assert.Contains("max_position_embeddings is 1024", Assert.Throws<UserErrorException>(() => Engines.Create(config, slots: 4, maxLength: 1025)).Message, StringComparison.Ordinal);
        using GenerationEngine engine = Engines.Create(config, slots: 4, maxLength: 50);
        GenerationRequest request = Engines.Request("a", promptLength: 10, answers: 4, seed: 1);

        Assert.Throws<ArgumentException>(() => engine.Submit(request with { Answers = 5 }));
        Assert.Throws<ArgumentException>(() => engine.Submit(request with { Prompt = [] }));
        Assert.Throws<ArgumentException>(() => engine.Submit(request with { Prompt = [300] }));
        Assert.Contains("10 tokens and 41 new tokens do not fit the 50", Assert.Throws<ArgumentException>(() => engine.Submit(Engines.Request("a", 10, 4, 1, maxNewTokens: 41))).Message, StringComparison.Ordinal);
        engine.Submit(request);
        using Decoder decoder = TinyModel.Create(config);
        using PolicySnapshot policy = Engines.Snapshot(decoder);
        Assert.Throws<InvalidOperationException>(() => engine.LoadPolicy(policy));
    }

    [Fact]
    public void Bfloat16_on_a_processor_without_avx512_is_refused_with_the_way_out()
    {
        string message = Assert.Throws<UserErrorException>(() => GenerationEngine.RequireType(CPU, ScalarType.BFloat16, simd: false)).Message;
        Assert.Contains("model.dtype = bfloat16 needs a processor with AVX-512", message, StringComparison.Ordinal);
        Assert.Contains("Set model.dtype = float32", message, StringComparison.Ordinal);
        GenerationEngine.RequireType(CPU, ScalarType.Float32, simd: false);
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
