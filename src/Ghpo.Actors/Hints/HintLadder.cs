using Ghpo.Curriculum;
using Ghpo.Problems;

namespace Ghpo.Hints;

/// <summary>
/// Which hint ratio ω a group is sampled at: where it starts, and what follows when all its answers are wrong.
/// <code>
/// strategy   starts at                                        then
/// none       0                                                –
/// ladder     0                                                each level in turn
/// fixed      0                                                fixed-ratio, once
/// memory     one level below the one that last solved it      each level in turn
/// </code>
/// In the first cold-start-steps steps every strategy is none.
/// </summary>
public static class HintLadder
{
    /// <summary>The attempt a group is to be sampled at now: its journalled level if it has one, else its start level as attempt 0.</summary>
    public static GroupAttempt Open(HintSettings settings, HintState state, PlannedGroup group) =>
        state.LevelOf(group.Group) ?? new GroupAttempt(group.Group, group.Problem, 0, StartRatio(settings, state, group.Group, group.Problem));

    /// <summary>The attempt after <paramref name="failed"/>; null if there is no higher level.</summary>
    public static GroupAttempt? Next(HintSettings settings, GroupAttempt failed)
    {
        double? ratio = IsCold(settings, failed.Group)
            ? null
            : settings.Strategy switch
            {
                HintStrategy.None => null,
                HintStrategy.Ladder or HintStrategy.Memory => LevelAbove(settings, failed.HintRatio),
                HintStrategy.Fixed => failed.HintRatio == 0 ? settings.FixedRatio : null,
                _ => throw new InvalidOperationException($"hints.strategy {settings.Strategy} is unknown"),
            };
        return ratio is null ? null : failed with { Attempt = failed.Attempt + 1, HintRatio = ratio.Value };
    }

    private static double StartRatio(HintSettings settings, HintState state, GroupId group, ProblemId problem)
    {
        if (settings.Strategy != HintStrategy.Memory || IsCold(settings, group))
        {
            return 0;
        }

        double? solved = state.Memory.GetValueOrDefault(problem)?.RatioBefore(group.Step);
        return solved is null ? 0 : settings.Levels.LastOrDefault(level => level < solved.Value);
    }

    private static double? LevelAbove(HintSettings settings, double ratio)
    {
        foreach (double level in settings.Levels)
        {
            if (level > ratio)
            {
                return level;
            }
        }

        return null;
    }

    private static bool IsCold(HintSettings settings, GroupId group) => group.Step < settings.ColdStartSteps;
}
