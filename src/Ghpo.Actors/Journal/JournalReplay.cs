using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Learning;
using Ghpo.Policy;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Journal;

/// <summary>A step that was folded again.</summary>
/// <param name="Hash">Hash of the weights that came out.</param>
/// <param name="Journalled">Hash of the weights that the run had after the step.</param>
public sealed record ReplayedStep(int Step, string Hash, string Journalled)
{
    public bool Same => Hash == Journalled;
}

/// <param name="From">Steps that the fold began with; 0: the base model.</param>
/// <param name="Source">Where it began: a checkpoint's folder, or null for the base model.</param>
/// <param name="Unusable">Why checkpoints that it could have begun with could not be used.</param>
/// <param name="CheckpointsCompared">Checkpoints whose every byte, optimizer included, was computed again.</param>
/// <param name="Faults">One sentence for each difference from what the run journalled, if it promises bits (<c>run.deterministic</c>).</param>
public sealed record ReplayResult(
    int From, string? Source, ImmutableArray<string> Unusable, ImmutableArray<ReplayedStep> Steps, int CheckpointsCompared, ImmutableArray<string> Faults);

/// <summary>
/// Weights as what they are: a fold over the journal. Each committed step is learned again from its journalled groups, from a state that is
/// known, in the order in which it was learned. Groups carry the policy version they were sampled under, so runs with staleness fold alike.
/// <code>
/// base model ─▶ step 0 ─▶ step 1 ─▶ … ─▶ to        all tokens kept
///               checkpoint k ─▶ step k ─▶ … ─▶ to  tokens before k pruned, or a fork at k
/// </code>
/// </summary>
public sealed class JournalReplay
{
    private readonly JournalReader _journal;
    private readonly string _folder;
    private readonly ControlTimeline _settings;
    private readonly Dictionary<int, string> _hashes = [];
    private readonly CheckpointTaken[] _taken;
    private readonly RunForked? _forked;

    /// <summary>Reads how far the journal goes and what it can be folded from; the tokens are read by <see cref="Fold"/>.</summary>
    /// <param name="folder">The run folder, which checkpoints are in.</param>
    /// <param name="settings">What each step was learned with.</param>
    public JournalReplay(JournalReader journal, string folder, ControlTimeline settings)
    {
        _journal = journal;
        _folder = folder;
        _settings = settings;
        LearnerState state = LearnerState.Empty;
        foreach (object fact in journal.Events(LearnerActor.JournalId, ManifestsOf(typeof(StepCommitted), typeof(CheckpointTaken), typeof(GroupPruned), typeof(RunForked))))
        {
            switch (fact)
            {
                case StepCommitted committed:
                    _hashes[committed.Step] = committed.PolicyHash;
                    NewestStep = committed.Step;
                    break;
                case CheckpointTaken taken:
                    state = state.Apply(taken);
                    break;
                case GroupPruned pruned:
                    FirstKept = Math.Max(FirstKept, pruned.Facts.Group.Step + 1);
                    break;
                case RunForked forked:
                    FirstKept = Math.Max(FirstKept, forked.Step + 1);
                    _forked = forked;
                    break;
            }
        }

        _taken = [.. state.Checkpoints];
    }

    /// <summary>The newest committed step; −1: none.</summary>
    public int NewestStep { get; private set; } = -1;

    /// <summary>The first step whose groups still have their tokens.</summary>
    public int FirstKept { get; private set; }

    /// <summary>The run promises that a step folded again gives the same bits: anything else is a fault.</summary>
    public bool Deterministic => _settings.Started.Run.Deterministic;

    /// <summary>Where a fold can begin, oldest first: the base model where every token is kept, and checkpoints that are on disk.</summary>
    public ImmutableArray<ReplaySource> Sources =>
    [
        .. FirstKept == 0 ? [new ReplaySource(0, null)] : Array.Empty<ReplaySource>(),
        .. _taken.Where(taken => taken.NextStep >= FirstKept && Directory.Exists(Path.Combine(_folder, taken.Folder)))
            .Select(taken => new ReplaySource(taken.NextStep, Path.Combine(_folder, taken.Folder))),
    ];

    /// <summary>Folds on the caller's thread, which must be the one that <paramref name="create"/> makes trainers for.</summary>
    /// <param name="create">A trainer that holds the base model, with the settings of the run.</param>
    /// <param name="to">The last step to fold.</param>
    /// <param name="fromNewest">Begin at the newest state there is before that step, instead of the oldest.</param>
    /// <param name="verify">Compute every checkpoint on the way again, to the last byte, and compare those on disk.</param>
    /// <param name="onStep">Called after each step.</param>
    /// <param name="atEnd">Called with the trainer after the last one, unless something differed.</param>
    /// <exception cref="UserErrorException">The step is not committed, or nothing that is kept leads to it; says what does.</exception>
    /// <exception cref="DivergedException">A gradient is not finite, which the run's own was.</exception>
    public ReplayResult Fold(
        Func<IPolicyTrainer> create, int to, bool fromNewest, bool verify, Action<ReplayedStep> onStep, Action<IPolicyTrainer> atEnd)
    {
        if (!_hashes.ContainsKey(to))
        {
            throw RunHistory.NotCommitted(_journal, to, NewestStep < 0 ? null : NewestStep);
        }

        var unusable = ImmutableArray.CreateBuilder<string>();
        (IPolicyTrainer trainer, ReplaySource source) = Begin(create, to, fromNewest, unusable);
        using (trainer)
        {
            var faults = ImmutableArray.CreateBuilder<string>();
            var steps = ImmutableArray.CreateBuilder<ReplayedStep>();
            int compared = FoldSteps(trainer, to, verify, steps, faults, onStep);
            if (verify)
            {
                faults.AddRange(CheckpointFiles.Compare(_journal, _folder, _settings.Newest.Checkpoints.Keep, _taken, _hashes, Deterministic).Faults);
            }

            if (faults.Count == 0)
            {
                atEnd(trainer);
            }

            return new ReplayResult(source.NextStep, source.Folder, unusable.ToImmutable(), steps.ToImmutable(), compared, faults.ToImmutable());
        }
    }

    private (IPolicyTrainer Trainer, ReplaySource Source) Begin(
        Func<IPolicyTrainer> create, int to, bool fromNewest, ImmutableArray<string>.Builder unusable)
    {
        IEnumerable<ReplaySource> sources = Sources.Where(source => source.NextStep <= to + 1);
        foreach (ReplaySource source in fromNewest ? sources.Reverse() : sources)
        {
            IPolicyTrainer trainer = create();
            if (source.Folder is null)
            {
                return (trainer, source);
            }

            string? fault = FaultOf(trainer, source.Folder, source.NextStep);
            if (fault is null)
            {
                return (trainer, source);
            }

            unusable.Add(fault);
            trainer.Dispose();
        }

        throw Unreachable(to, unusable);
    }

    private string? FaultOf(IPolicyTrainer trainer, string checkpoint, int nextStep)
    {
        try
        {
            trainer.LoadCheckpoint(checkpoint);
        }
        catch (InvalidCheckpointException damage)
        {
            return damage.Message;
        }

        string hash = HashOf(trainer);
        return !Deterministic || hash == _hashes.GetValueOrDefault(nextStep - 1)
            ? null
            : $"{checkpoint} holds weights {hash}, but the journal has {_hashes.GetValueOrDefault(nextStep - 1) ?? "no weights"} after step {nextStep - 1}";
    }

    private UserErrorException Unreachable(int to, IEnumerable<string> unusable)
    {
        if (_forked is not null && to <= _forked.Step)
        {
            return new UserErrorException(
                $"{_journal.Place}: step {to} was made by {_forked.Parent}, which this run was forked from after step {_forked.Step}: replay it there ({_forked.ParentFolder}).");
        }

        ReplaySource? oldest = Sources.FirstOrDefault();
        string reach = oldest is null
            ? "no checkpoint is left to begin with"
            : oldest.NextStep > to + 1
                ? $"the oldest state that is left is after step {oldest.NextStep - 1}: steps {oldest.NextStep - 1} to {NewestStep} can be reached"
                : string.Join("; ", unusable);
        string pruned = FirstKept > 0 ? $"the tokens of steps 0 to {FirstKept - 1} are not in this journal, and " : "";
        return new UserErrorException($"{_journal.Place}: step {to} cannot be folded: {pruned}{reach}.");
    }

    /// <returns>Checkpoints computed again.</returns>
    private int FoldSteps(
        IPolicyTrainer trainer,
        int to,
        bool verify,
        ImmutableArray<ReplayedStep>.Builder steps,
        ImmutableArray<string>.Builder faults,
        Action<ReplayedStep> onStep)
    {
        Dictionary<int, SortedDictionary<int, SettledGroup>> open = [];
        int compared = 0;
        foreach (object fact in _journal.Events(
            LearnerActor.JournalId, ManifestsOf(typeof(GroupSettled), typeof(GroupPruned), typeof(StepCommitted), typeof(CheckpointTaken))))
        {
            int next = trainer.Version.Value;
            switch (fact)
            {
                case GroupSettled settled when settled.Group.Group.Step >= next && settled.Group.Group.Step <= to:
                    SettledGroup group = settled.Group;
                    (open.TryGetValue(group.Group.Step, out SortedDictionary<int, SettledGroup>? groups) ? groups : open[group.Group.Step] = [])
                        .TryAdd(group.Group.Index, group);
                    break;
                case GroupPruned pruned when pruned.Facts.Group.Step >= next && pruned.Facts.Group.Step <= to:
                    throw new UserErrorException(
                        $"{_journal.Place}: the run pruned the tokens of step {pruned.Facts.Group.Step} while they were being read; try again, it begins later then.");
                case StepCommitted committed when committed.Step == next && next <= to:
                    GhpoSettings inForce = _settings.At(next);
                    trainer.Use(inForce.Learning, inForce.Run.Steps);
                    trainer.Train([.. open.GetValueOrDefault(next, []).Values]);
                    open.Remove(next);
                    var step = new ReplayedStep(next, HashOf(trainer), committed.PolicyHash);
                    steps.Add(step);
                    onStep(step);
                    if (!step.Same && Deterministic)
                    {
                        faults.Add(
                            $"step {next} gives weights {step.Hash}, but the journal has {step.Journalled}: base model, settings or software differ from those of the run");
                        return compared;
                    }

                    break;
                case StepCommitted committed when committed.Step > to:
                    return compared;
                case CheckpointTaken taken when verify && Deterministic && taken.NextStep == next && steps.Count > 0:
                    compared++;
                    if (DigestOf(trainer) is var digest && digest != taken.Hash)
                    {
                        faults.Add(
                            $"the checkpoint after step {next - 1} comes out with digest {digest}, but the journal has {taken.Hash} for {taken.Folder}: "
                            + "the weights are the same, the optimizer's state or a file beside them is not");
                    }

                    break;
            }
        }

        return compared;
    }

    /// <summary>Hash of the weights that a trainer holds now.</summary>
    public static string HashOf(IPolicyTrainer trainer)
    {
        using PolicySnapshot snapshot = trainer.TakeSnapshot(epoch: 0);
        return snapshot.Hash;
    }

    private static string DigestOf(IPolicyTrainer trainer)
    {
        DirectoryInfo scratch = Directory.CreateTempSubdirectory("ghpo-replay-");
        try
        {
            return trainer.SaveCheckpoint(Path.Combine(scratch.FullName, "checkpoint"));
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static string[] ManifestsOf(params IEnumerable<Type> events) => [.. events.SelectMany(GhpoEventSerializer.ManifestsOf)];
}

/// <summary>A state that a fold can begin with.</summary>
/// <param name="NextStep">The first step that is not in it.</param>
/// <param name="Folder">A checkpoint's folder; null: the base model.</param>
public sealed record ReplaySource(int NextStep, string? Folder);
