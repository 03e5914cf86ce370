using Ghpo.Learning;
using static Ghpo.Curriculum.CurriculumProtocol;

namespace Ghpo.Curriculum;

/// <summary>How a problem went so far.</summary>
/// <param name="Seen">Groups of this problem that have settled.</param>
/// <param name="Last">The newest of them, by step and index, not by arrival.</param>
/// <param name="Correct">Correct answers over all of them, at the levels they settled at.</param>
/// <param name="Judged">Answers over all of them that count.</param>
public sealed record ProblemStatistics(
    int Seen, GroupId Last, Settlement LastSettlement, double LastHintRatio, long Correct, long Judged)
{
    public static ProblemStatistics None { get; } = new(0, new GroupId(-1, 0), Settlement.Unjudged, 0, 0, 0);

    public ProblemStatistics With(OutcomeRecorded outcome)
    {
        ProblemStatistics summed = this with { Seen = Seen + 1, Correct = Correct + outcome.Correct, Judged = Judged + outcome.Judged };
        return outcome.Group < Last
            ? summed
            : summed with { Last = outcome.Group, LastSettlement = outcome.Settlement, LastHintRatio = outcome.HintRatio };
    }
}
