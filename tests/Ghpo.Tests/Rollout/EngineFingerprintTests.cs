using Ghpo.Rollout;
using Xunit;

namespace Ghpo.Tests.Rollout;

public sealed class EngineFingerprintTests
{
    private static readonly TypeFingerprint Sound = new("aaaaaaaaaaaaaaaa", "");
    private static readonly EngineFingerprint Learner = new("X64 with AVX2", Sound, new TypeFingerprint("bbbb", ""));

    [Fact]
    public void One_machine_has_one_fingerprint_and_names_what_it_computes_with()
    {
        EngineFingerprint once = EngineFingerprint.OfThisMachine(threads: 1);
        Assert.Equal(once, EngineFingerprint.OfThisMachine(threads: 1));
        Assert.Equal(("", 64), (once.Float32.Fault, once.Float32.Digest.Length));
        Assert.NotEqual(once.Float32.Digest, once.Bfloat16.Digest);
        Assert.Matches("^(X64|Arm64) with .+", once.Processor);
        Assert.Null(once.WhyNot(once, bfloat16: false));
    }

    [Fact]
    public void Other_bits_are_refused_with_both_processors_and_the_way_out()
    {
        EngineFingerprint worker = Learner with { Processor = "X64 with AVX-512F", Float32 = new TypeFingerprint("cccc", "") };
        string reason = worker.WhyNot(Learner, bfloat16: false)!;
        Assert.Contains("does not reproduce the learner's bits in float32: it computes on X64 with AVX-512F and gets cccc, the learner on X64 with AVX2 gets aaaaaaaaaaaa;", reason, StringComparison.Ordinal);
        Assert.EndsWith("run.deterministic = false", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_self_test_is_refused_whatever_its_digest_is() => Assert.Contains(
        "the self-test of its engine failed (float32 on X64 with AVX2): it hangs on company; ",
        (Learner with { Float32 = Sound with { Fault = "it hangs on company" } }).WhyNot(Learner, bfloat16: false),
        StringComparison.Ordinal);

    [Fact]
    public void Only_the_type_that_the_run_computes_in_counts()
    {
        EngineFingerprint worker = Learner with { Bfloat16 = new TypeFingerprint("", "bfloat16 needs AVX-512") };
        Assert.Null(worker.WhyNot(Learner, bfloat16: false));
        Assert.Contains("bfloat16 needs AVX-512", worker.WhyNot(Learner, bfloat16: true), StringComparison.Ordinal);
    }
}
