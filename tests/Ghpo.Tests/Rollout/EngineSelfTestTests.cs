using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Rollout;
using Ghpo.Tests.Models;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Rollout;

public sealed class EngineSelfTestTests
{
    public EngineSelfTestTests() => TorchThreads.UseOnThisThread(1);

    [Fact]
    public void The_engine_passes_on_the_machine_at_hand() => Assert.Null(Fault(engine => engine));

    [Fact]
    public void An_engine_whose_log_probabilities_hang_on_its_company_by_one_bit_is_found_out() =>
        Assert.Contains("gets other answers alone than in company: the log-probability of token 0", Fault(engine => new Sociable(engine)), StringComparison.Ordinal);

    private static string? Fault(Func<IGenerationEngine, IGenerationEngine> with)
    {
        using DisposeScope scope = NewDisposeScope();
        ModelConfig config = TinyModel.Config();
        using Decoder decoder = TinyModel.Create(config);
        using PolicySnapshot policy = Engines.Snapshot(decoder);
        using IGenerationEngine engine = with(Engines.Create(config, slots: EngineSelfTest.Groups * 2));
        return EngineSelfTest.Run(engine, policy, config.VocabularySize, answers: 2).Fault;
    }

    /// <summary>Adds the last bit to every log-probability of a request that has company.</summary>
    private sealed class Sociable(IGenerationEngine inner) : IGenerationEngine
    {
        private bool _company;

        public int FreeSlots => inner.FreeSlots;

        public int RunningSequences => inner.RunningSequences;

        public long TokensSampled => inner.TokensSampled;

        public void LoadPolicy(PolicySnapshot policy) => inner.LoadPolicy(policy);

        public void Submit(GenerationRequest request)
        {
            _company = inner.RunningSequences > 0;
            inner.Submit(request);
        }

        public void Withdraw(object tag) => inner.Withdraw(tag);

        public IReadOnlyList<GenerationResult> Step() => _company
            ? [.. inner.Step().Select(result => result with
            {
                Completions = [.. result.Completions.Select(completion => completion with { LogProbs = [.. completion.LogProbs.Select(MathF.BitIncrement)] })],
            })]
            : inner.Step();

        public void Dispose() => inner.Dispose();
    }
}
