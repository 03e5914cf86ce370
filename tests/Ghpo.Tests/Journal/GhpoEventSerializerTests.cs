using System.Runtime.Serialization;
using FsCheck;
using FsCheck.Fluent;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Tests.Learning;
using Ghpo.Verification;
using Xunit;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Tests.Journal;

public sealed class GhpoEventSerializerTests
{
    private static readonly GhpoEventSerializer Serializer = new(null);
    private static readonly ProblemId Problem = new("p\u00e9");

    /// <summary>One value of each kind, and the bytes that journals hold of it for good.</summary>
    private static readonly (string Manifest, object Value, string Bytes)[] Golden =
    [
        ("sp-v1", new StepPlanned(300, [new PlannedGroup(new GroupId(300, 0), Problem)]),
            "92cd012c9193cd012c00a370c3a9"),
        ("or-v1", new OutcomeRecorded(new GroupId(3, 1), Problem, Settlement.Unsolved, 0.75, 0, 8),
            "970301a370c3a901cb3fe80000000000000008"),
        ("hr-v1", new HintRaised(new GroupId(3, 1), Problem, 2, 0.5, 40),
            "960301a370c3a902cb3fe000000000000028"),
        ("gr-v1", new GroupReleased(new GroupId(3, 1), Problem, 0.5, true),
            "950301a370c3a9cb3fe0000000000000c3"),
        ("es-v1", new EpochStarted(2, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)),
            "9202cf08de49ab96b70080"),
        ("gs-v1", new GroupSettled(Group()),
            "9d0301a370c3a90002cb3fe0000000000000c39301ccc8ce0001117091019295920506c408000000bf000080ff0000c3959107c4040000a0bf0103c2" +
            "0c0203"),
        ("sc-v1", new StepCommitted(3, new PolicyVersion(4), "ab12", Report()),
            "940304a461623132dc00180304020204cb3fe0000000000000cb3fd0000000000000cb3fc0000000000000c0cb3fe8000000000000cb3ff000000000" +
            "00009292cb00000000000000000192cb3fe00000000000000201020304929200019205026414cb4039800000000000cd0fa0cb3ff8000000000000cb" +
            "40040000000000009acb3fe0000000000000cb3f1a36e2eb1c432dcb3ff8000000000000cb3fe6666666666666cb0000000000000000cb0000000000" +
            "000000cb3fd00000000000000e1ecb4010000000000000"),
        ("ct-v1", new CheckpointTaken(20, "checkpoints/step-000020", "cd34"),
            "9314b7636865636b706f696e74732f737465702d303030303230a463643334"),
        ("pe-v1", new PolicyEvaluated(new EvaluationResult(new PolicyVersion(4), [new LevelAccuracy("3", 100, 0.25)])),
            "92049193a13364cb3fd0000000000000"),
        ("gp-v1", new GroupPruned(GroupFacts.Of(Group())),
            "9d0301a370c3a90002cb3fe0000000000000c39292000192030103030c0203"),
        ("rf-v1", new RunForked("par\u00e9nt", "/runs/parent", 3, "ab12", ["learning.rate=1e-4"], new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)),
            "96a7706172c3a96e74ac2f72756e732f706172656e7403a46162313291b26c6561726e696e672e726174653d31652d34cf08de49ab96b70080"),
        ("cs-v1", Curriculum(),
            "9502020091930191930100a370c3a991009198a370c3a901010002cb00000000000000000008"),
        ("hs-v1", Hints(),
            "95010191960101a17101cb3fd00000000000000992960000a370c3a900cb3fd000000000000000960100a370c3a900cb3fe0000000000000009193a370c3a9" +
            "930100cb3fe0000000000000930000cb3fd0000000000000"),
        ("ca-v1", new ControlApplied(3, "ghpo.learning.rate", "0.0001", "me@here", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)),
            "9503b26768706f2e6c6561726e696e672e72617465a6302e30303031a76d654068657265cf08de49ab96b70080"),
        ("rs-v1", new SteeringProtocol.RunSteered(RunOrder.Pause, 300, "me@here", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)),
            "9400cd012ca76d654068657265cf08de49ab96b70080"),
        ("ms-v1", new SteeringProtocol.MemberSteered(MemberOrder.Leave, "w1", 300, "me@here", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)),
            "9502a27731cd012ca76d654068657265cf08de49ab96b70080"),
        ("ls-v3", Learner().Apply(new ControlApplied(3, "k", "v", "me", default)).Apply(new SteeringProtocol.RunSteered(RunOrder.Pause, 3, "me", default)),
            "9903020e919d0301a370c3a90002cb3fe0000000000000c39301ccc8ce0001117091019295920506c408000000bf000080ff0000c3959107c4040000" +
            "a0bf0103c20c0203919201a26565919301a163a16891920090919503a16ba176a26d6500940003a26d6500"),
    ];

    /// <summary>What earlier versions wrote, and the value that it is read as now.</summary>
    private static readonly (string Manifest, object Value, string Bytes)[] Older =
    [
        ("ls-v2", Learner().Apply(new ControlApplied(3, "k", "v", "me", default)),
            "9803020e919d0301a370c3a90002cb3fe0000000000000c39301ccc8ce0001117091019295920506c408000000bf000080ff0000c3959107c4040000" +
            "a0bf0103c20c0203919201a26565919301a163a16891920090919503a16ba176a26d6500"),
        ("ls-v1", Learner(),
            "9703020e919d0301a370c3a90002cb3fe0000000000000c39301ccc8ce0001117091019295920506c408000000bf000080ff0000c3959107c4040000" +
            "a0bf0103c20c0203919201a26565919301a163a16891920090"),
    ];

    public static TheoryData<string> Manifests => [.. Golden.Select(golden => golden.Manifest)];

    [Fact]
    public void Every_manifest_has_golden_bytes() => Assert.Equal(
        GhpoEventSerializer.Manifests.Order(StringComparer.Ordinal), Golden.Concat(Older).Select(golden => golden.Manifest).Order(StringComparer.Ordinal));

    [Fact]
    public void What_an_earlier_version_wrote_is_read_as_the_present_one()
    {
        foreach ((string manifest, object value, string bytes) in Older)
        {
            object read = Serializer.FromBinary(Convert.FromHexString(bytes), manifest);
            Assert.Equivalent(value, read, strict: true);
            Assert.NotEqual(manifest, Serializer.Manifest(read));
        }
    }

    [Theory]
    [MemberData(nameof(Manifests))]
    public void The_bytes_of_a_manifest_never_change(string manifest)
    {
        (_, object value, string bytes) = Golden.Single(golden => golden.Manifest == manifest);

        Assert.Equal(manifest, Serializer.Manifest(value));
        Assert.Equal(bytes, Convert.ToHexStringLower(Serializer.ToBinary(value)));
        object read = Serializer.FromBinary(Convert.FromHexString(bytes), manifest);
        Assert.Equal(bytes, Convert.ToHexStringLower(Serializer.ToBinary(read)));
        Assert.Equivalent(value, read, strict: true);
    }

    [Theory]
    [MemberData(nameof(Manifests))]
    public void Truncated_bytes_are_a_clear_error_wherever_they_are_cut(string manifest)
    {
        byte[] bytes = Serializer.ToBinary(Golden.Single(golden => golden.Manifest == manifest).Value);
        for (int length = 0; length < bytes.Length; length++)
        {
            var error = Assert.Throws<SerializationException>(() => Serializer.FromBinary(bytes[..length], manifest));
            Assert.StartsWith($"{length} bytes under manifest '{manifest}' are damaged", error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<SerializationException>(() => Serializer.FromBinary([.. bytes, 0], manifest));
    }

    [Theory]
    [MemberData(nameof(Manifests))]
    public void Damaged_bytes_are_an_error_or_another_value_and_never_any_other_exception(string manifest)
    {
        byte[] bytes = Serializer.ToBinary(Golden.Single(golden => golden.Manifest == manifest).Value);
        Prop.ForAll<int, byte>((at, value) =>
        {
            byte[] damaged = [.. bytes];
            damaged[(int)((uint)at % (uint)damaged.Length)] = value;
            try
            {
                Serializer.FromBinary(damaged, manifest);
            }
            catch (SerializationException)
            {
                return;
            }
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(2, "949193a139" + "03cb3fe0000000000000" + "cb3fe0000000000000" + "01" + "02")]
    [InlineData(null, "949193a139" + "03cb3fe0000000000000" + "cb3fe0000000000000" + "01" + "c0")]
    public void Where_the_groups_of_a_step_came_from_is_the_last_field_of_its_report_and_may_be_left_out(int? workers, string bytes)
    {
        var committed = new StepCommitted(3, new PolicyVersion(4), "ab12", Report());
        var known = committed with { Report = Report() with { Origin = new StepOrigin([new LevelAccuracy("9", 3, 0.5)], 0.5, 1, workers) } };
        string without = Convert.ToHexStringLower(Serializer.ToBinary(committed));
        string with = Convert.ToHexStringLower(Serializer.ToBinary(known));

        Assert.Equal(without.Replace("dc0018", "dc0019", StringComparison.Ordinal) + bytes, with);
        Assert.Equivalent(known, Serializer.FromBinary(Convert.FromHexString(with), "sc-v1"), strict: true);
        Assert.Null(((StepCommitted)Serializer.FromBinary(Convert.FromHexString(without), "sc-v1")).Report.Origin);
    }

    [Fact]
    public void An_answer_that_saw_a_switch_of_the_policy_keeps_it_under_the_same_manifest_and_others_keep_their_bytes()
    {
        SettledGroup plain = Group();
        TrainingSample sample = plain.Samples[0];
        var switched = new GroupSettled(plain with
        {
            Samples = [sample with { Completion = sample.Completion with { Switches = [new PolicySwitch(1, new PolicyVersion(300))] } }, .. plain.Samples.Skip(1)],
        });
        string bytes = Convert.ToHexStringLower(Serializer.ToBinary(switched));

        Assert.Equal("gs-v1", Serializer.Manifest(switched));
        Assert.Equal(
            "9d0301a370c3a90002cb3fe0000000000000c39301ccc8ce0001117091019297920506c408000000bf000080ff0000c3cb0000000000000000919201cd012c959107c4040000a0bf0103c2" +
            "0c0203",
            bytes);
        Assert.Equivalent(switched, Serializer.FromBinary(Convert.FromHexString(bytes), "gs-v1"), strict: true);
    }

    [Fact]
    public void An_unknown_manifest_is_an_error_that_names_it_and_the_known_ones()
    {
        var error = Assert.Throws<SerializationException>(() => Serializer.FromBinary([0x90], "gs-v2"));

        Assert.Contains("'gs-v2' is unknown; known are sp-v1", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(typeof(Settlement), "Solved=0 Unsolved=1 NoSolution=2 Unjudged=3")]
    [InlineData(typeof(Verdict), "Correct=0 Wrong=1 Malformed=2 Truncated=3 Unverifiable=4 VerifierFailed=5")]
    [InlineData(typeof(FinishReason), "Stopped=0 Length=1")]
    public void The_numbers_of_journalled_values_never_change(Type type, string numbers) => Assert.Equal(
        numbers, string.Join(' ', Enum.GetValues(type).Cast<object>().Select(value => $"{value}={Convert.ToInt32(value, null)}")));

    [Fact]
    public void A_message_that_is_no_event_is_refused() =>
        Assert.Throws<SerializationException>(() => Serializer.ToBinary(new PlanStep(1)));

    [Fact]
    public void Settled_groups_survive_with_every_bit() =>
        Prop.ForAll<int[], float[], int>((tokens, logProbs, number) =>
        {
            SettledGroup group = Group() with
            {
                Prompt = [.. tokens],
                Attempt = number,
                Samples = [new TrainingSample(new Completion([.. tokens], [.. logProbs], FinishReason.Length), Verdict.Malformed, true)],
            };
            SettledGroup read = ((GroupSettled)Serializer.FromBinary(Serializer.ToBinary(new GroupSettled(group)), "gs-v1")).Group;
            return read.Prompt.SequenceEqual(tokens)
                && read.Attempt == number
                && read.Samples[0].Completion.Tokens.SequenceEqual(tokens)
                && read.Samples[0].Completion.LogProbs.Select(BitConverter.SingleToUInt32Bits)
                    .SequenceEqual(logProbs.Select(BitConverter.SingleToUInt32Bits));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(512, 6.6)]
    [InlineData(150_000, 8.6)]
    public void A_rollout_token_costs_little_more_than_its_id_and_its_log_probability(int vocabulary, double most)
    {
        // Eight answers of 250 tokens under a prompt of 150: what a step of the built-in task looks like.
        var random = new SplitMix64(1);
        int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Below(vocabulary))];
        SettledGroup group = Group() with
        {
            Prompt = [.. Tokens(150)],
            Samples =
            [
                .. Enumerable.Range(0, 8).Select(_ => new TrainingSample(
                    new Completion([.. Tokens(250)], [.. new float[250]], FinishReason.Stopped), Verdict.Wrong, true)),
            ],
        };

        double bytes = Serializer.ToBinary(new GroupSettled(group)).Length / (8 * 250.0);

        TestContext.Current.TestOutputHelper?.WriteLine($"vocabulary {vocabulary}: {bytes:F2} bytes a rollout token");
        Assert.InRange(bytes, 4, most);
    }

    private static SettledGroup Group() => new(
        new GroupId(3, 1),
        Problem,
        Settlement.Solved,
        2,
        0.5,
        true,
        [1, 200, 70_000],
        [1],
        [
            new TrainingSample(new Completion([5, 6], [-0.5f, float.NegativeInfinity], FinishReason.Stopped), Verdict.Correct, true),
            new TrainingSample(new Completion([7], [-1.25f], FinishReason.Length), Verdict.Truncated, false),
        ],
        12,
        2,
        new PolicyVersion(3));

    private static StepReport Report() => new(
        3, new PolicyVersion(4), 2, 2, 4, 0.5, 0.25, 0.125, null, 0.75, 1, [new SettledAt(0, 1), new SettledAt(0.5, 2)], 1, 2, 3, 4,
        [new VerdictCount(Verdict.Correct, 1), new VerdictCount(Verdict.VerifierFailed, 2)], 100, 20, 25.5, 4000, 1.5, 2.5, LearnerFixtures.Metrics(4));

    private static CurriculumState Curriculum()
    {
        CurriculumState state = CurriculumState.Empty
            .Apply(new StepPlanned(0, [new PlannedGroup(new GroupId(0, 0), Problem)]))
            .Apply(new StepPlanned(1, [new PlannedGroup(new GroupId(1, 0), Problem)]));
        return state.Apply(new OutcomeRecorded(new GroupId(1, 0), Problem, Settlement.NoSolution, 0, 0, 8)).Close(0);
    }

    private static HintState Hints() => HintState.Empty(1)
        .Apply(new GroupReleased(new GroupId(0, 0), Problem, 0.25, true))
        .Apply(new GroupReleased(new GroupId(1, 0), Problem, 0.5, true))
        .Apply(new HintRaised(new GroupId(1, 1), new ProblemId("q"), 1, 0.25, 9));

    private static LearnerState Learner() => LearnerState.Empty
        .Apply(new EpochStarted(3, default))
        .Apply(new PolicyEvaluated(new EvaluationResult(new PolicyVersion(0), [])))
        .Apply(LearnerFixtures.Committed(0))
        .Apply(new CheckpointTaken(1, "c", "h"))
        .Apply(new GroupSettled(Group()))
        .Apply(LearnerFixtures.Committed(1, "ee"));
}
