namespace Ghpo.Inspection;

/// <summary>What a user may order a member of the cluster. The numbers are journalled.</summary>
public enum MemberOrder
{
    /// <summary>A worker: finish what is in hand, take nothing more.</summary>
    Drain = 0,

    /// <summary>A worker: take groups again.</summary>
    Resume = 1,

    /// <summary>A node: leave the cluster for good.</summary>
    Leave = 2,

    /// <summary>A node: it is dead.</summary>
    Down = 3,
}
