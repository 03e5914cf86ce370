using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Streams;
using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using Xunit;
using static Ghpo.Dispatch.SessionProtocol;
using static Ghpo.Dispatch.VerificationProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Dispatch;

public sealed class DispatchSerializerTests : IDisposable
{
    private static readonly WorkKey Key = new(new GroupId(300, 1), 2);

    private readonly ActorSystem _system = ActorSystem.Create("wire", ConfigurationFactory.ParseString("""
        akka.loglevel = OFF
        akka.stdout-loglevel = OFF
        akka.actor.provider = remote
        akka.remote.dot-netty.tcp.hostname = "127.0.0.1"
        akka.remote.dot-netty.tcp.port = 0
        """).WithFallback(ActorMaterializer.DefaultConfig()));
    private readonly DispatchSerializer _serializer;

    public DispatchSerializerTests() => _serializer = new DispatchSerializer((ExtendedActorSystem)_system);

    /// <summary>A message of each kind that holds no actor, and its bytes for good.</summary>
    public static TheoryData<string, object, string> Golden => new()
    {
        { "wr-v1", new WorkerRefused("no"), "91a26e6f" },
        { "lg-v1", new LeasedGroup(LeaseLedgerTests.Group(3, 1, 2), new PolicyVersion(3)), "9c0301a17002cb3fe0000000000000079301ccc803920103" + "01c2c303" },
        { "lg-v1", new LeasedGroup(LeaseLedgerTests.Group(3, 1, 2) with { Trace = "00-1" }, new PolicyVersion(3)), "9d0301a17002cb3fe0000000000000079301ccc803920103" + "01c2c303" + "a430302d31" },
        { "sa-v3", new SampledAnswers(Key, 1, [new Completion([5, 300], [-0.5f, -1f], FinishReason.Length) { Switches = [new(1, new PolicyVersion(4))] }, new Completion([], [], FinishReason.Stopped)], 7, new PolicyVersion(3)), "97cd012c010201" + "92" + "949205cd012cc408000000bf000080bf0191920104" + "9490c4000090" + "0703" },
        { "af-v1", new AnswerFailed(Key, "why", true), "95cd012c0102a3776879c3" },
        { "rp-v3", new WorkReported(8, 3, 300, null, null), "950803cd012cc0c0" },
        { "rp-v3", new WorkReported(8, 3, 300, new PolicyPublished(2, new PolicyVersion(4), "cd"), new HeldPolicy(2, new PolicyVersion(3), "ab")), "950803cd012c" + "930204a26364" + "930203a26162" },
        { "gw-v1", new GroupWithdrawn(Key), "93cd012c0102" },
        { "sl-v1", new SessionLeft(), "90" },
        { "pp-v1", new PolicyPublished(2, new PolicyVersion(3), "ab"), "930203a26162" },
        { "hp-v1", new HeldPolicy(2, new PolicyVersion(3), "ab"), "930203a26162" },
        { "aj-v1", new AnswerToJudge(new AnswerKey(Key, 3), new ProblemId("p"), "7", "\\boxed{7} \u00e9", FinishReason.Length), "98cd012c010203a170a137ac5c626f7865647b377d20c3a901" },
        { "ja-v1", new AnswerJudged(new AnswerKey(Key, 3), new Judgement(Verdict.Wrong, true, "why")), "97cd012c01020301c3a3776879" },
    };

    private const string OfferManifest = "ow-v2";
    private const string OfferBytes =
        "94a177d92d616b6b612e7463703a2f2f6768706f4031302e302e302e313a343035332f757365722f73657373696f6e2337370895ad58363420776974682041565832a26161a0" +
        "a0aa6e6f204156582d353132";
    private const string WelcomeManifest = "ww-v5";
    private const string WelcomeBytes =
        "96d92d616b6b612e7463703a2f2f6768706f4031302e302e302e313a343035332f757365722f73657373696f6e2337389da372756ecd012ca27b7dc39102400428cb3fe00000" +
        "0000000000cb3ff000000000000001c3b5687474703a2f2f31302e302e302e313a343035342fad31302e302e302e313a39313131931ea145c4680a2c0a2a616b6b612e7463703a2f2f6768706f4031302e302e30" +
        "2e313a343035332f757365722f776f726b23373912380a364768706f2e44697370617463682e53657373696f6e50726f746f636f6c2b4c656173656447726f75702c20476870" +
        "6f2e4163746f7273931ea146c46e0a2f0a2d616b6b612e7463703a2f2f6768706f4031302e302e302e313a343035332f757365722f616e7377657273233830123b0a39476870" +
        "6f2e44697370617463682e53657373696f6e50726f746f636f6c2b53616d706c6564416e73776572732c204768706f2e4163746f7273";

    private const string VerifierOfferBytes =
        "93a176d92d616b6b612e7463703a2f2f6768706f4031302e302e302e313a343035332f757365722f73657373696f6e23373704";
    private const string VerifierWelcomeBytes =
        "98d92d616b6b612e7463703a2f2f6768706f4031302e302e302e313a343035332f757365722f73657373696f6e233738a372756e010206ad31302e302e302e313a39313131931ea145c46f0a2c0a2a616b6b612e" +
        "7463703a2f2f6768706f4031302e302e302e313a343035332f757365722f776f726b233739123f0a3d4768706f2e44697370617463682e566572696669636174696f6e50726f" +
        "746f636f6c2b416e73776572546f4a756467652c204768706f2e4163746f7273931ea146c4700a2e0a2c616b6b612e7463703a2f2f6768706f4031302e302e302e313a343035" +
        "332f757365722f6a7564676564233830123e0a3c4768706f2e44697370617463682e566572696669636174696f6e50726f746f636f6c2b416e737765724a75646765642c2047" +
        "68706f2e4163746f7273";

    public void Dispose() => _system.Dispose();

    [Fact]
    public void Every_manifest_has_golden_bytes() => Assert.Equal(
        DispatchSerializer.Manifests.Order(StringComparer.Ordinal),
        Golden.Select(golden => golden.Data.Item1).Distinct().Concat([OfferManifest, WelcomeManifest, "ov-v1", "vw-v2"]).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Golden))]
    public void Bytes_of_a_manifest_never_change(string manifest, object message, string bytes)
    {
        Assert.Equal(manifest, _serializer.Manifest(message));
        Assert.Equal(bytes, Convert.ToHexStringLower(_serializer.ToBinary(message)));
        Assert.Equal(bytes, Convert.ToHexStringLower(_serializer.ToBinary(_serializer.FromBinary(Convert.FromHexString(bytes), manifest))));
    }

    [Fact]
    public void Bytes_of_an_offer_never_change()
    {
        var engine = new EngineFingerprint("X64 with AVX2", new TypeFingerprint("aa", ""), new TypeFingerprint("", "no AVX-512"));
        var offer = new OfferWorker("w", Far("session#77"), 8, engine);
        Assert.Equal(OfferManifest, _serializer.Manifest(offer));
        Assert.Equal(OfferBytes, Convert.ToHexStringLower(_serializer.ToBinary(offer)));
        Assert.Equal(offer, Read(OfferBytes, OfferManifest));

        // A node that is not set up for equal bits has no fingerprint.
        OfferWorker without = offer with { Engine = null };
        Assert.Equal(without, _serializer.FromBinary(_serializer.ToBinary(without), OfferManifest));
    }

    [Fact]
    public void Bytes_of_a_welcome_with_its_StreamRefs_never_change()
    {
        var welcome = (WorkerWelcomed)Read(WelcomeBytes, WelcomeManifest);
        Assert.Equal(WelcomeManifest, _serializer.Manifest(welcome));
        Assert.Equal(WelcomeBytes, Convert.ToHexStringLower(_serializer.ToBinary(welcome)));
        Assert.Equal((Far("session#78"), new Uri("http://10.0.0.1:4054/"), "10.0.0.1:9111"), (welcome.Session, welcome.Plane, welcome.Inspection));
        Assert.Equivalent(new WorkerSetup("run", 300, "{}", true, [2], 64, 4, 40, 0.5, 0, 1, 1, true), welcome.Setup, strict: true);
    }

    [Fact]
    public void Bytes_of_a_verifier_s_offer_and_welcome_never_change()
    {
        var offer = new OfferVerifier("v", Far("session#77"), 4);
        Assert.Equal(("ov-v1", VerifierOfferBytes), (_serializer.Manifest(offer), Convert.ToHexStringLower(_serializer.ToBinary(offer))));
        Assert.Equal(offer, Read(VerifierOfferBytes, "ov-v1"));

        var welcome = (VerifierWelcomed)Read(VerifierWelcomeBytes, "vw-v2");
        Assert.Equal(("vw-v2", VerifierWelcomeBytes), (_serializer.Manifest(welcome), Convert.ToHexStringLower(_serializer.ToBinary(welcome))));
        Assert.Equal((Far("session#78"), new VerifierSetup("run", AnswerMarker.Boxed, FormatRule.Boxed, 6), "10.0.0.1:9111"), (welcome.Session, welcome.Setup, welcome.Inspection));
    }

    [Fact]
    public void An_unknown_manifest_is_refused_with_its_name_and_the_known_ones()
    {
        var error = Assert.Throws<SerializationException>(() => _serializer.FromBinary([0x90], "ow-v1"));
        Assert.Contains("Manifest 'ow-v1' is unknown; known are ow-v2", error.Message, StringComparison.Ordinal);
        Assert.Contains("All nodes of a run have to be of one", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OfferManifest, OfferBytes)]
    [InlineData(WelcomeManifest, WelcomeBytes)]
    [InlineData("ov-v1", VerifierOfferBytes)]
    [InlineData("vw-v2", VerifierWelcomeBytes)]
    public void A_message_that_is_cut_anywhere_is_a_clear_error(string manifest, string bytes)
    {
        byte[] whole = Convert.FromHexString(bytes);
        for (int length = 0; length < whole.Length; length++)
        {
            var error = Assert.Throws<SerializationException>(() => _serializer.FromBinary(whole[..length], manifest));
            Assert.StartsWith($"{length} bytes under manifest '{manifest}' are damaged", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_message_that_fits_no_frame_is_refused_with_its_size_and_the_way_out()
    {
        var tooLong = new SampledAnswers(Key, 0, [new Completion([.. Enumerable.Repeat(100_000, 500_000)], [.. Enumerable.Repeat(-1f, 500_000)], FinishReason.Length)], 1, new PolicyVersion(1));
        var error = Assert.Throws<SerializationException>(() => _serializer.ToBinary(tooLong));
        Assert.Contains("does not fit a frame of 4000000; lower rollout.max-new-tokens", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Answers_of_a_group_go_together_as_far_as_they_are_short()
    {
        int[] lengths = [20_000, 100, 16_000, 300, 200, 16_384];
        var group = new RolloutGroup(
            LeaseLedgerTests.Group(3, 1, 2),
            [.. lengths.Select(length => new Completion([.. Enumerable.Range(0, length)], [.. Enumerable.Repeat(-1f, length)], FinishReason.Stopped))], 7, new PolicyVersion(3), "w");
        SampledAnswers[] parts = [.. SampledAnswers.Of(group)];
        Assert.Equal([(0, 1), (1, 2), (3, 2), (5, 1)], parts.Select(part => (part.First, part.Completions.Length)));
        Assert.Equal(group.Completions, parts.SelectMany(part => part.Completions));
        Assert.All(parts, part => Assert.Equal((WorkKey.Of(group.Prompted), 7, new PolicyVersion(3)), (part.Key, part.Epoch, part.Version)));
    }

    [Fact]
    public void What_is_no_message_between_nodes_is_neither_written_nor_read()
    {
        Assert.Throws<SerializationException>(() => _serializer.ToBinary("text"));
        Assert.Throws<SerializationException>(() => _serializer.FromBinary([0x90], "xx-v1"));
        Assert.Throws<SerializationException>(() => _serializer.FromBinary([0x91, 0x01], "hp-v1"));
        Assert.Throws<SerializationException>(() => _serializer.FromBinary([0x90, 0x01], "sl-v1"));
    }

    private object Read(string bytes, string manifest) => _serializer.FromBinary(Convert.FromHexString(bytes), manifest);

    /// <summary>An actor of a node that is not there; nobody writes to it.</summary>
    private IActorRef Far(string name) => ((ExtendedActorSystem)_system).Provider.ResolveActorRef($"akka.tcp://ghpo@10.0.0.1:4053/user/{name}");
}
