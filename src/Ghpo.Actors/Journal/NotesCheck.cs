using System.Collections.Immutable;
using System.Globalization;
using Ghpo.Curriculum;
using Ghpo.Learning;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;

namespace Ghpo.Journal;

/// <summary>
/// That the three journals agree about each group:
/// <list type="bullet">
/// <item>hint levels are raised for planned groups only, one attempt after the other, to rising ratios;</item>
/// <item>a group settled at the attempt and ratio it was last raised to, and counts the tokens of the attempts before;</item>
/// <item>outcome and release are noted at most once for a group, not without its having settled, and say what it settled with;</item>
/// <item>for each group of a committed step both are noted.</item>
/// </list>
/// </summary>
internal static class NotesCheck
{
    /// <param name="planned">Every planned group.</param>
    /// <param name="settled">Every settled one.</param>
    /// <param name="nextStep">The first step that is not committed.</param>
    internal static IEnumerable<string> Of(
        IEnumerable<PlannedGroup> planned,
        IReadOnlyDictionary<GroupId, GroupFacts> settled,
        int nextStep,
        IEnumerable<object> curriculum,
        IEnumerable<object> hints)
    {
        Dictionary<GroupId, PlannedGroup> plans = [];
        foreach (PlannedGroup group in planned)
        {
            plans.TryAdd(group.Group, group);
        }

        Dictionary<GroupId, HintRaised> raised = [];
        HashSet<GroupId> released = [];
        foreach (object fact in hints)
        {
            string? fault = fact switch
            {
                HintRaised hint => FaultOf(hint),
                GroupReleased release => !released.Add(release.Group)
                    ? $"group {release.Group} was released twice"
                    : !settled.TryGetValue(release.Group, out GroupFacts? group)
                        ? $"group {release.Group} was released and has not settled"
                        : (release.Problem, release.HintRatio, release.Solved) != (group.Problem, group.HintRatio, group.Settlement == Settlement.Solved)
                            ? $"group {release.Group} was released as {release.Problem} at {Number(release.HintRatio)}, solved: {release.Solved}, but settled otherwise"
                            : null,
                _ => null,
            };
            if (fault is not null)
            {
                yield return fault;
            }
        }

        HashSet<GroupId> recorded = [];
        foreach (OutcomeRecorded outcome in curriculum.OfType<OutcomeRecorded>())
        {
            if (!recorded.Add(outcome.Group))
            {
                yield return $"group {outcome.Group} has two outcomes";
            }
            else if (!settled.TryGetValue(outcome.Group, out GroupFacts? group))
            {
                yield return $"group {outcome.Group} has an outcome and has not settled";
            }
            else if (outcome != new OutcomeRecorded(group.Group, group.Problem, group.Settlement, group.HintRatio, group.Correct, group.Judged))
            {
                yield return $"group {outcome.Group} has another outcome than it settled with: {outcome}";
            }
        }

        foreach (GroupFacts group in settled.Values)
        {
            HintRaised? last = raised.GetValueOrDefault(group.Group);
            if ((group.Attempt, group.HintRatio, group.ExtraTokens) != (last?.Attempt ?? 0, last?.HintRatio ?? 0, last?.TokensSpent ?? 0))
            {
                yield return $"group {group.Group} settled at attempt {group.Attempt} with {Number(group.HintRatio)} shown after {group.ExtraTokens} tokens, but "
                    + (last is null ? "was never raised" : $"was last raised to attempt {last.Attempt} with {Number(last.HintRatio)} after {last.TokensSpent} tokens");
            }

            if (group.Group.Step < nextStep && !recorded.Contains(group.Group))
            {
                yield return $"group {group.Group} is trained on without an outcome";
            }

            if (group.Group.Step < nextStep && !released.Contains(group.Group))
            {
                yield return $"group {group.Group} is trained on and was not released";
            }
        }

        string? FaultOf(HintRaised hint)
        {
            HintRaised? before = raised.GetValueOrDefault(hint.Group);
            raised[hint.Group] = hint;
            bool follows = before is null
                ? hint.Attempt is 0 or 1 && hint.HintRatio > 0
                : hint.Attempt == before.Attempt + 1 && hint.HintRatio > before.HintRatio && hint.TokensSpent >= before.TokensSpent;
            return !plans.TryGetValue(hint.Group, out PlannedGroup? plan) || plan.Problem != hint.Problem
                ? $"group {hint.Group} was given a hint for {hint.Problem}, which was not planned"
                : released.Contains(hint.Group)
                    ? $"group {hint.Group} was given a hint after its release"
                    : !follows
                        ? $"group {hint.Group} was raised to attempt {hint.Attempt} with {Number(hint.HintRatio)} after "
                            + (before is null ? "nothing" : $"attempt {before.Attempt} with {Number(before.HintRatio)}")
                        : null;
        }
    }

    private static string Number(double ratio) => ratio.ToString(CultureInfo.InvariantCulture);
}
