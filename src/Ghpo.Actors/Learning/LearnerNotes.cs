using Akka.Actor;
using Ghpo.Curriculum;
using Ghpo.Verification;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;

namespace Ghpo.Learning;

/// <summary>
/// What curriculum and hint schedule still have to note about settled groups. A step is trained once both have noted all of its groups, so that
/// a committed step is one that all three journals agree on. Tells are repeated until they are answered; both sides take repetitions.
/// </summary>
internal sealed class LearnerNotes(IActorRef curriculum, IActorRef hints, IActorRef learner)
{
    private readonly SortedDictionary<GroupId, RecordOutcome> _outcomes = [];
    private readonly SortedDictionary<GroupId, ReleaseGroup> _releases = [];

    internal void Tell(SettledGroup group)
    {
        var outcome = new RecordOutcome(
            group.Group,
            group.Problem,
            group.Settlement,
            group.HintRatio,
            group.Samples.Count(sample => sample.Verdict == Verdict.Correct),
            group.Samples.Count(sample => sample.Verdict.Counts()));
        var release = new ReleaseGroup(group.Group, group.Problem, group.HintRatio, group.Settlement == Settlement.Solved);
        _outcomes[group.Group] = outcome;
        _releases[group.Group] = release;
        curriculum.Tell(outcome, learner);
        hints.Tell(release, learner);
    }

    internal void Noted(OutcomeNoted noted) => _outcomes.Remove(noted.Group);

    internal void Noted(ReleaseNoted noted) => _releases.Remove(noted.Group);

    internal bool Awaits(int step) => _outcomes.Keys.Any(group => group.Step == step) || _releases.Keys.Any(group => group.Step == step);

    internal void TellAgain()
    {
        foreach (RecordOutcome outcome in _outcomes.Values)
        {
            curriculum.Tell(outcome, learner);
        }

        foreach (ReleaseGroup release in _releases.Values)
        {
            hints.Tell(release, learner);
        }
    }
}
