using System.Collections.Immutable;
using Ghpo.Dispatch;

namespace Ghpo.Inspection;

/// <summary>Where the groups are between worker and learner.</summary>
public sealed partial record StallWatch
{
    /// <summary>From the learner backwards.</summary>
    private static readonly string[] _stages = ["delivery", "classification", VerificationName];

    /// <summary>When the pipeline last said anything; null: it has not begun.</summary>
    public DateTimeOffset? PipelineAt { get; init; }

    /// <summary>Verifiers of other nodes; null where there can be none.</summary>
    public VerificationProtocol.VerifiersView? Judges { get; init; }

    /// <summary>Since when groups of an open step are awaited and nobody has one; null: they are not, or somebody has.</summary>
    public DateTimeOffset? NowhereSince { get; init; }

    public StallWatch Heard(RunEvents.PipelineProgress progress, DateTimeOffset now)
    {
        StallWatch heard = this with
        {
            PipelineAt = now,
            Stages = progress.Stages.ToImmutableSortedDictionary(
                stage => stage.Stage,
                stage => Stages.GetValueOrDefault(stage.Stage) is { } seen && seen.Depth.Passed == stage.Passed && seen.Depth.Groups == stage.Groups && seen.Depth.Held == stage.Held
                    ? seen
                    : new StageSeen(stage, now)),
        };
        bool awaited = Learner is { Activity: "sampling", GroupsAwaited: > 0 } learner && !IsHeldByPause(learner);
        return heard with { NowhereSince = awaited && heard.Where().Length == 0 ? NowhereSince ?? now : null };
    }

    public StallWatch Heard(VerificationProtocol.VerifiersView judges, DateTimeOffset now) => Heard(VerificationName, "giving out answers", 0, 0, now) with { Judges = judges };

    private Diagnosis? OfPipeline(string waits, DateTimeOffset now) => PipelineAt is { } heard && now - heard > Prompt
        ? new Diagnosis($"{waits}; pipeline silent for {Seconds(now - heard)}: no group gets from one stage to the next", PipelineName, heard, now - heard > Patience)
        : null;

    private Diagnosis? OfStages(string waits, DateTimeOffset now)
    {
        foreach (string name in _stages)
        {
            if (Stages.GetValueOrDefault(name) is { Depth.Groups: > 0 } stage && now - stage.Since > Prompt)
            {
                return (name == VerificationName ? OfJudges(waits, stage, now) : null) ?? new Diagnosis(
                    $"{waits}; {name} holds {stage.Depth.Groups} and has passed on nothing {Ago(stage.Since, now)}", name, stage.Since, now - stage.Since > Patience);
            }
        }

        return null;
    }

    /// <summary>The verifier node that keeps an answer longest. Before it is a stall for long, the learner takes the answer back and judges it.</summary>
    private Diagnosis? OfJudges(string waits, StageSeen stage, DateTimeOffset now) =>
        Judges?.Verifiers.Where(judge => now - judge.OldestSince > Prompt).MinBy(judge => judge.OldestSince) is { OldestSince: { } since } slow
            ? new Diagnosis(
                $"{waits}; verifier {slow.Name} has kept {slow.Answers} {(slow.Answers == 1 ? "answer" : "answers")}, the oldest {Ago(since, now)} (verification holds {stage.Depth.Groups})",
                slow.Name, since, now - since > Patience)
            : null;

    /// <summary>Nobody is silent and nobody has a group, and yet groups are awaited.</summary>
    private Diagnosis Nowhere(string waits, DateTimeOffset now) => NowhereSince is { } since && now - since > Patience
        ? new Diagnosis($"{waits}; nobody has any in hand {Ago(since, now)}", PipelineName, since, true)
        : new Diagnosis($"{waits}: they are about to be sampled", "rollout", SettledAt, false);

    /// <summary>Who has groups, as of when each was last heard; those of steps that follow are among them. "": nobody.</summary>
    private string Where() => string.Join(", ",
    [
        .. Members.Values.Where(member => IsWorker(member.Name) && member.Groups > 0).Select(worker => $"{worker.Groups} with {worker.Name}"),
        .. Stages.Values.Where(stage => stage.Depth.Stage != "rollout" && stage.Depth.Groups > 0).Select(stage => $"{stage.Depth.Groups} in {stage.Depth.Stage}"),
    ]);
}
