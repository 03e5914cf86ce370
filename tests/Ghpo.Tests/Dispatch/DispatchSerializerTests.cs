using System.Runtime.Serialization;
using Akka.Actor;
using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Rollout;
using Xunit;
using static Ghpo.Dispatch.SessionProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Dispatch;

public sealed class DispatchSerializerTests : IDisposable
{
    private static readonly WorkKey Key = new(new GroupId(300, 1), 2);

    private readonly ActorSystem _system = ActorSystem.Create("wire", "akka.loglevel = OFF\nakka.stdout-loglevel = OFF");
    private readonly DispatchSerializer _serializer;

    public DispatchSerializerTests() => _serializer = new DispatchSerializer((ExtendedActorSystem)_system);

    /// <summary>One message of each kind, and its bytes for good. The welcome holds what changes from run to run; the tests with processes cover it.</summary>
    public static TheoryData<string, object, string> Golden => new()
    {
        { "wr-v1", new WorkerRefused("no"), "91a26e6f" },
        { "lg-v1", new LeasedGroup(LeaseLedgerTests.Group(3, 1, 2), new PolicyVersion(3)), "9c0301a17002cb3fe0000000000000079301ccc803920103" + "01c2c303" },
        { "lg-v1", new LeasedGroup(LeaseLedgerTests.Group(3, 1, 2) with { Trace = "00-1" }, new PolicyVersion(3)), "9d0301a17002cb3fe0000000000000079301ccc803920103" + "01c2c303" + "a430302d31" },
        { "sa-v1", new SampledAnswer(Key, 1, 4, new Completion([5, 300], [-0.5f, -1f], FinishReason.Length), 7, new PolicyVersion(3)), "9acd012c01020104" + "9205cd012cc408000000bf000080bf010703" },
        { "af-v1", new AnswerFailed(Key, "why", true), "95cd012c0102a3776879c3" },
        { "rp-v1", new WorkReported(8, 300), "9208cd012c" },
        { "sl-v1", new SessionLeft(), "90" },
        { "pp-v1", new PolicyPublished(2, new PolicyVersion(3), "ab"), "930203a26162" },
        { "hp-v1", new HeldPolicy(2, new PolicyVersion(3), "ab"), "930203a26162" },
    };

    public void Dispose() => _system.Dispose();

    [Theory]
    [MemberData(nameof(Golden))]
    public void Bytes_of_a_manifest_never_change(string manifest, object message, string bytes)
    {
        Assert.Equal(manifest, _serializer.Manifest(message));
        Assert.Equal(bytes, Convert.ToHexStringLower(_serializer.ToBinary(message)));
        Assert.Equal(bytes, Convert.ToHexStringLower(_serializer.ToBinary(_serializer.FromBinary(Convert.FromHexString(bytes), manifest))));
    }

    [Fact]
    public void A_message_that_fits_no_frame_is_refused_with_its_size_and_the_way_out()
    {
        var tooLong = new SampledAnswer(Key, 0, 1, new Completion([.. Enumerable.Repeat(100_000, 500_000)], [.. Enumerable.Repeat(-1f, 500_000)], FinishReason.Length), 1, new PolicyVersion(1));
        var error = Assert.Throws<SerializationException>(() => _serializer.ToBinary(tooLong));
        Assert.Contains("does not fit a frame of 4000000; lower rollout.max-new-tokens", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_message_between_nodes_is_neither_written_nor_read()
    {
        Assert.Throws<SerializationException>(() => _serializer.ToBinary("text"));
        Assert.Throws<SerializationException>(() => _serializer.FromBinary([0x90], "xx-v1"));
        Assert.Throws<SerializationException>(() => _serializer.FromBinary([0x91, 0x01], "hp-v1"));
        Assert.Throws<SerializationException>(() => _serializer.FromBinary([0x90, 0x01], "sl-v1"));
    }
}
