using System.Collections.Immutable;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Learning;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Journal;

/// <summary>
/// A journal cut after a step, as the beginning of another run's: the facts that the steps up to there are made of, and nothing of what was in
/// flight, so that the new run's settings hold for all that it samples. The weights go over as a checkpoint, so the tokens behind them stay with
/// the parent. So do its controls: the new run's settings have them in them.
/// </summary>
public static class JournalFork
{
    /// <summary>
    /// What the new run's journal begins with, in parts to be written one after the other. A part is of one stream, and ends no later than a
    /// commit does: as of each committed step the new journal tells what the old one tells.
    /// </summary>
    /// <param name="forked">Names parent and step; comes last in the learner's stream, before the checkpoint.</param>
    /// <param name="digest">Digest of the checkpoint in <see cref="RunForked.Origin"/>.</param>
    public static IEnumerable<JournalPart> Cut(JournalReader parent, RunForked forked, string digest)
    {
        int last = forked.Step;
        List<object> curriculum = [];
        List<object> hints = [];
        List<object> learner = [];
        bool committed = false;
        foreach (JournalEntry entry in parent.AllEntries())
        {
            switch (entry.Event)
            {
                case StepPlanned planned when planned.Step <= last:
                case OutcomeRecorded outcome when outcome.Group.Step <= last:
                    curriculum.Add(entry.Event);
                    break;
                case HintRaised raised when raised.Group.Step <= last:
                case GroupReleased released when released.Group.Step <= last:
                    hints.Add(entry.Event);
                    break;
                case StepCommitted step when step.Step <= last:
                    learner.Add(step);
                    committed |= step.Step == last;
                    foreach (JournalPart part in Parts())
                    {
                        yield return part;
                    }

                    break;
                case PolicyEvaluated evaluated when evaluated.Result.Version.Value <= last + 1:
                case EpochStarted when !committed:
                case RunForked when !committed:
                    learner.Add(entry.Event);
                    break;
                default:
                    if (GroupFacts.Of(entry.Event) is { } facts && facts.Group.Step <= last)
                    {
                        learner.Add(new GroupPruned(facts));
                    }

                    break;
            }
        }

        learner.Add(forked);
        learner.Add(new CheckpointTaken(last + 1, RunForked.Origin, digest));
        foreach (JournalPart part in Parts())
        {
            yield return part;
        }

        IEnumerable<JournalPart> Parts()
        {
            foreach ((string stream, List<object> events) in new[]
            {
                (CurriculumActor.JournalId, curriculum), (HintScheduleActor.JournalId, hints), (LearnerActor.JournalId, learner),
            })
            {
                if (events.Count > 0)
                {
                    yield return new JournalPart(stream, [.. events]);
                    events.Clear();
                }
            }
        }
    }
}

/// <summary>Consecutive events of one stream.</summary>
public sealed record JournalPart(string Stream, ImmutableArray<object> Events);
