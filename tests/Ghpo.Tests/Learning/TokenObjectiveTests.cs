using Ghpo.Learning.Losses;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Learning;

public sealed class TokenObjectiveTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void The_surrogate_is_clipped_only_where_it_would_overshoot()
    {
        // r = 1.5 and 0.5, Â = +2 and −2, clip range [0.8, 1.3]:
        //   1.5, +2 → min(3, 1.3 · 2) = 2.6 clipped      1.5, −2 → min(−3, −2.6) = −3
        //   0.5, +2 → min(1, 0.8 · 2) = 1                0.5, −2 → min(−1, −1.6) = −1.6 clipped
        Tensor policy = tensor([1.5f, 1.5f, 0.5f, 0.5f]).log().requires_grad_();
        Tensor advantage = tensor([2f, -2f, 2f, -2f]);

        TokenTerms terms = new TokenObjective(EpsilonLow: 0.2, EpsilonHigh: 0.3, Beta: 0)
            .Of(policy, zeros(4), advantage, ones(4), reference: null);
        terms.Objective.sum().backward();

        AssertClose([2.6f, -3f, 1f, -1.6f], terms.Objective);
        Assert.Equal([true, false, false, true], terms.Clipped.data<bool>());

        // d(r Â)/d log π = r Â where it is not clipped, 0 where it is.
        AssertClose([0f, -3f, 1f, 0f], policy.grad!);
    }

    [Fact]
    public void On_policy_the_gradient_is_the_advantage_and_nothing_is_clipped()
    {
        Tensor policy = tensor([-0.7f, -2.3f]).requires_grad_();
        Tensor advantage = tensor([1.25f, -0.5f]);

        TokenTerms terms = new TokenObjective(0.2, 0.2, 0).Of(policy, policy.detach(), advantage, ones(2), reference: null);
        terms.Objective.sum().backward();

        Assert.Equal([1.25f, -0.5f], terms.Objective.data<float>());
        Assert.Equal([1.25f, -0.5f], policy.grad!.data<float>());
        Assert.False(terms.Clipped.any().item<bool>());
    }

    [Fact]
    public void The_kl_term_is_the_k3_estimate()
    {
        // log π_ref − log π_θ = ln 2 and 0: k3 = 2 − ln 2 − 1 = 0.306853 and 0; ℓ = 1 − 0.5 k3.
        // dℓ/d log π = r Â − β (1 − e^{ln 2}) = 1 + 0.5 · 1 and 1.
        Tensor policy = tensor([-1f, -1f]).requires_grad_();
        Tensor reference = tensor([-1f + MathF.Log(2), -1f]);

        TokenTerms terms = new TokenObjective(0.2, 0.2, Beta: 0.5).Of(policy, policy.detach(), ones(2), ones(2), reference);
        terms.Objective.sum().backward();

        AssertClose([0.3068528f, 0f], terms.Kl!);
        AssertClose([1 - 0.1534264f, 1f], terms.Objective);
        AssertClose([1.5f, 1f], policy.grad!);
    }

    [Fact]
    public void A_stale_token_is_weighted_by_its_capped_importance_and_a_fresh_one_is_not()
    {
        // π_old / π_sampler = 1.5, 4 (capped at 2), 0.5, and a fresh token.
        Tensor sampler = zeros(4);
        Tensor old = tensor([1.5f, 4f, 0.5f, 4f]).log();

        AssertClose([1.5f, 2f, 0.5f, 1f], TokenObjective.StalenessWeight(old, sampler, tensor([true, true, true, false]), cap: 2));
    }

    [Fact]
    public void The_importance_weight_scales_the_surrogate_and_not_the_kl_term()
    {
        // ℓ = 0.5 · 1 · 3 − 0.1 (2 − ln 2 − 1) = 1.5 − 0.0306853.
        Tensor policy = tensor([-1f]);

        TokenTerms terms = new TokenObjective(0.2, 0.2, Beta: 0.1)
            .Of(policy, policy, tensor([3f]), tensor([0.5f]), tensor([-1f + MathF.Log(2)]));

        AssertClose([1.4693147f], terms.Objective);
    }

    private static void AssertClose(float[] expected, Tensor actual)
    {
        float[] values = [.. actual.data<float>()];
        Assert.Equal(expected.Length, values.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], values[i], 1e-5f);
        }
    }
}
