namespace Ghpo.Difficulty;

/// <summary>What a group's verdicts say about its problem, at its hint level and for the policy that sampled it.</summary>
public enum GroupDifficulty
{
    /// <summary>At least one answer is correct.</summary>
    Solved,

    /// <summary>No answer is correct, and at least one was judged.</summary>
    Hard,

    /// <summary>No answer could be judged: nothing is known about the problem.</summary>
    Unjudged,
}
