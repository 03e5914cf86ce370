using System.Collections.Immutable;
using System.Text.Json;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Hints;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Problems;
using Ghpo.Tests.Journal;
using Xunit;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;
using static TorchSharp.torch;

namespace Ghpo.Tests.Runs;

/// <summary>
/// A random model of one layer, problems that say themselves how much of their solution helps, and folders for runs of them. Five kinds of
/// problems take turns: solved without help, from 25, 50 or 75 % of the solution on, and never.
/// </summary>
internal sealed class TinyRun : IDisposable
{
    public const int SolutionLength = 40;

    /// <summary>ω from which a problem of each kind is solved, in percent; 100 is never reached.</summary>
    public static readonly ImmutableArray<int> Kinds = [0, 25, 50, 75, 100];

    private readonly TemporaryFolder _root = new();
    private int _folders;

    public TinyRun()
    {
        string model = Path.Combine(_root.Path, "model");
        var config = new ModelConfig(
            ModelType.Qwen2,
            VocabularySize: 260,
            HiddenSize: 16,
            IntermediateSize: 32,
            Layers: 1,
            Heads: 2,
            KeyValueHeads: 1,
            HeadSize: 8,
            MaxPositions: 256,
            NormEpsilon: 1e-6,
            RopeTheta: 10_000,
            TiedEmbeddings: true,
            AttentionBias: false,
            StopTokens: [259]);
        TinyTokenizer.Write(model, CompactTokens.All, CompactTokens.ChatTemplate, CompactTokens.End);
        using var decoder = new Decoder(config, CPU, ScalarType.Float32);
        decoder.Initialise(3);
        ModelFolder.Save(model, config, decoder, model);
        File.WriteAllLines(Path.Combine(_root.Path, "problems.jsonl"), Enumerable.Range(0, 10).Select(index => JsonSerializer.Serialize(new
        {
            problem = $"Problem {index}, helped from {Kinds[index % Kinds.Length]} on",
            solution = $"Problem {index}: this, then that. ".PadRight(SolutionLength, '.'),
            answer = $"{index}",
        })));
    }

    /// <summary>Three steps of five groups of four short answers, two workers. Overrides are <c>path=value</c>.</summary>
    public GhpoSettings Settings(params IEnumerable<string> overrides) => SettingsBinder.Load(null,
    [
        .. new[]
        {
            "run.steps=3",
            $"data.source={JsonSerializer.Serialize(Path.Combine(_root.Path, "problems.jsonl"))}",
            $"model.path={JsonSerializer.Serialize(Path.Combine(_root.Path, "model"))}",
            "prompt.max-tokens=100",
            "curriculum.groups-per-step=5",
            "rollout.group-size=4",
            "rollout.max-new-tokens=6",
            "rollout.slots=8",
            "learning.rate=1e-2",
            "learning.threads=1",
            "checkpoints.every-steps=2",
            "evaluation.enabled=false",
        }.Concat(overrides).Select(one => SettingOverride.Parse(one)),
    ]);

    public string NewFolder() => Directory.CreateDirectory(Path.Combine(_root.Path, $"run-{_folders++}")).FullName;

    /// <summary>A run as the program makes it, but with a tutor's engines.</summary>
    public static (RunContext Run, Tutor Tutor) Create(string folder, GhpoSettings settings)
    {
        // A database of PostgreSQL, where the folder asks for one; what a test says of retention stays.
        JournalSettings journal = TestJournal.SettingsOf(folder) with { KeepRollouts = settings.Journal.KeepRollouts };
        RunContext run = RunContextFactory.Create("tiny", folder, settings with { Journal = journal }, TimeProvider.System);
        var tutor = new Tutor(run.Tokenizer, settings.Run.Seed, Math.Max(20, settings.Run.Steps));
        return (run with { CreateEngine = () => new TutoredEngine(run.CreateEngine(), tutor) }, tutor);
    }

    public void Dispose() => _root.Dispose();

    public static JournalReader Journal(string folder) => TestJournal.Reader(folder);

    public static ImmutableArray<SettledGroup> Settled(string folder) =>
        [.. Journal(folder).Events(LearnerActor.JournalId).OfType<GroupSettled>().Select(settled => settled.Group).OrderBy(group => group.Group)];

    public static ImmutableArray<StepCommitted> Commits(string folder) =>
        [.. Journal(folder).Events(LearnerActor.JournalId).OfType<StepCommitted>()];

    public static ImmutableArray<string> Hashes(string folder) => [.. Commits(folder).Select(committed => committed.PolicyHash)];

    public static ImmutableArray<long> Epochs(string folder) =>
        [.. Journal(folder).Events(LearnerActor.JournalId).OfType<EpochStarted>().Select(started => started.Epoch)];

    /// <summary>The hints that were given, in the order of groups and attempts.</summary>
    public static ImmutableArray<HintRaised> Hints(string folder) =>
    [
        .. Journal(folder).Events(HintScheduleActor.JournalId).OfType<HintRaised>()
            .OrderBy(raised => raised.Group).ThenBy(raised => raised.Attempt),
    ];

    /// <summary>What must hold of every journal, and that training did move the weights, without which equal hashes would say nothing.</summary>
    public static void RequireSound(string folder, int steps, int staleness = 0)
    {
        JournalReader journal = Journal(folder);
        Assert.Empty(JournalCheck.Of(journal.Events(CurriculumActor.JournalId), journal.Events(LearnerActor.JournalId), staleness));
        Assert.Equal(steps, Hashes(folder).Distinct().Count());
    }

    /// <summary>Same weights after every step, same hints, and the same groups but for the epoch that they were sampled in.</summary>
    public static void RequireSameRun(string expected, string actual)
    {
        Assert.Equal(Hashes(expected), Hashes(actual));
        Assert.Equal(Hints(expected), Hints(actual));
        var serializer = new GhpoEventSerializer(null);
        byte[] Bytes(SettledGroup group) => serializer.ToBinary(new GroupSettled(group with { Epoch = 0 }));
        Assert.Equal(Settled(expected).Select(Bytes), Settled(actual).Select(Bytes));
    }

    /// <summary>Folds journalled groups with a trainer of its own and says the hash of the weights after the last step.</summary>
    public static string Fold(RunContext run, IEnumerable<SettledGroup> groups)
    {
        using IPolicyTrainer trainer = run.CreateTrainer();
        foreach (IGrouping<int, SettledGroup> step in groups.GroupBy(group => group.Group.Step).OrderBy(step => step.Key))
        {
            trainer.Train([.. step.OrderBy(group => group.Group)]);
        }

        using Ghpo.Policy.PolicySnapshot final = trainer.TakeSnapshot(epoch: 1);
        return final.Hash;
    }
}
