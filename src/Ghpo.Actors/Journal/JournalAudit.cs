using System.Collections.Immutable;
using System.Runtime.Serialization;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Learning;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Journal;

/// <summary>What a journal holds, counted.</summary>
/// <param name="SettledGroups">Groups that have settled, tokens kept or not.</param>
/// <param name="PrunedGroups">Those of them whose tokens are pruned.</param>
/// <param name="CompletionTokens">Tokens of the answers that groups settled with.</param>
/// <param name="ExtraTokens">Tokens of answers at lower hint levels.</param>
/// <param name="Checkpoints">Checkpoints that were taken.</param>
/// <param name="CheckpointsVerified">Those of them whose files are on disk and were compared.</param>
/// <param name="Bytes">Bytes of all serialized events.</param>
/// <param name="RolloutBytes">Those of settled groups with their tokens.</param>
/// <param name="RolloutTokens">Completion tokens in them.</param>
public sealed record JournalCounts(
    int Events,
    int StepsPlanned,
    int StepsCommitted,
    int GroupsPlanned,
    int SettledGroups,
    int PrunedGroups,
    int Answers,
    int HintsRaised,
    int Epochs,
    long CompletionTokens,
    long ExtraTokens,
    int Checkpoints,
    int CheckpointsVerified,
    long Bytes,
    long RolloutBytes,
    long RolloutTokens)
{
    /// <summary>Planned groups that have not settled.</summary>
    public int OpenGroups => GroupsPlanned - SettledGroups;

    /// <summary>Bytes of all events for each token of an answer that was trained on; null while none has.</summary>
    public double? BytesPerToken => CompletionTokens == 0 ? null : (double)Bytes / CompletionTokens;
}

/// <summary>A journal and the checkpoints that it names, gone through from end to end.</summary>
/// <param name="Findings">One sentence for each fault; empty for a sound run.</param>
public sealed record JournalAudit(JournalCounts Counts, ImmutableArray<string> Findings)
{
    /// <param name="folder">The run folder, which checkpoints are in.</param>
    /// <param name="settings">What the run was started with.</param>
    public static JournalAudit Of(JournalReader journal, string folder, GhpoSettings settings)
    {
        var findings = ImmutableArray.CreateBuilder<string>();
        var streams = new Dictionary<string, List<object>>
        {
            [CurriculumActor.JournalId] = [],
            [HintScheduleActor.JournalId] = [],
            [LearnerActor.JournalId] = [],
        };
        Dictionary<string, long> newest = [];
        long bytes = 0;
        long rolloutBytes = 0;
        long rolloutTokens = 0;
        int rows = 0;
        foreach (JournalRow row in journal.Rows(null, []))
        {
            rows++;
            bytes += row.Message.Length;
            long before = newest.GetValueOrDefault(row.Stream);
            if (row.SequenceNumber != before + 1)
            {
                findings.Add($"event {row.SequenceNumber} of {row.Stream} follows event {before}");
            }

            newest[row.Stream] = row.SequenceNumber;
            try
            {
                object fact = row.Decode().Event;
                if (fact is GroupSettled settled)
                {
                    rolloutBytes += row.Message.Length;
                    rolloutTokens += GroupFacts.Of(settled.Group).CompletionTokens;
                }

                // Of a group its facts are kept here: the tokens of a whole run need not fit into memory.
                streams[row.Stream].Add(fact is GroupSettled group ? new Kept(GroupFacts.Of(group.Group)) : fact);
            }
            catch (SerializationException damage)
            {
                findings.Add($"event {row.SequenceNumber} of {row.Stream} cannot be read: {damage.Message}");
            }
            catch (KeyNotFoundException)
            {
                findings.Add($"event {row.SequenceNumber} is of {row.Stream}, which no run writes");
            }
        }

        List<object> curriculum = streams[CurriculumActor.JournalId];
        List<object> hints = streams[HintScheduleActor.JournalId];
        List<object> learner = streams[LearnerActor.JournalId];
        int pruned = learner.OfType<GroupPruned>().Count();
        findings.AddRange(JournalCheck.Of(curriculum, hints, learner.Select(fact => fact is Kept kept ? new GroupPruned(kept.Facts) : fact), settings.Rollout.Staleness));
        GroupFacts[] groups = [.. learner.Select(fact => fact is Kept kept ? kept.Facts : GroupFacts.Of(fact)).OfType<GroupFacts>().DistinctBy(group => group.Group)];
        int verified = CheckFiles(journal, folder, settings, learner, findings);
        var counts = new JournalCounts(
            rows,
            curriculum.OfType<StepPlanned>().Count(),
            learner.OfType<StepCommitted>().Count(),
            curriculum.OfType<StepPlanned>().Sum(plan => plan.Groups.Length),
            groups.Length,
            pruned,
            groups.Sum(group => group.Samples),
            hints.OfType<HintRaised>().Count(),
            learner.OfType<EpochStarted>().Count(),
            groups.Sum(group => (long)group.CompletionTokens),
            groups.Sum(group => (long)group.ExtraTokens),
            learner.OfType<CheckpointTaken>().Count(),
            verified,
            bytes,
            rolloutBytes,
            rolloutTokens);
        return new JournalAudit(counts, findings.ToImmutable());
    }

    private static int CheckFiles(
        JournalReader journal, string folder, GhpoSettings settings, IReadOnlyList<object> learner, ImmutableArray<string>.Builder findings)
    {
        Dictionary<int, string> hashes = [];
        foreach (StepCommitted committed in learner.OfType<StepCommitted>())
        {
            hashes[committed.Step] = committed.PolicyHash;
        }

        (int compared, ImmutableArray<string> faults) = CheckpointFiles.Compare(
            journal, folder, settings.Checkpoints.Keep, learner.OfType<CheckpointTaken>(), hashes, settings.Run.Deterministic);
        findings.AddRange(faults);
        return compared;
    }

    /// <summary>A group whose tokens are in the journal.</summary>
    private sealed record Kept(GroupFacts Facts);
}
