using Ghpo.Curriculum;
using Ghpo.Problems;

namespace Ghpo.Hints;

/// <summary>A group at one hint level.</summary>
/// <param name="Attempt">0 for the first level a group is tried at, then counting up.</param>
/// <param name="HintRatio">ω in [0, 1): the leading share of the solution shown; 0 shows none.</param>
/// <param name="TokensSpent">Completion tokens sampled for the group at lower levels.</param>
public sealed record GroupAttempt(GroupId Group, ProblemId Problem, int Attempt, double HintRatio, int TokensSpent = 0);
