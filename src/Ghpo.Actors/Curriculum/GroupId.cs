using Ghpo.Problems;

namespace Ghpo.Curriculum;

/// <summary>One problem in one step: the unit of leasing, hinting, journalling and determinism. Step counts from 0.</summary>
public readonly record struct GroupId(int Step, int Index) : IComparable<GroupId>
{
    public int CompareTo(GroupId other) => Step != other.Step ? Step.CompareTo(other.Step) : Index.CompareTo(other.Index);

    public static bool operator <(GroupId left, GroupId right) => left.CompareTo(right) < 0;

    public static bool operator >(GroupId left, GroupId right) => left.CompareTo(right) > 0;

    public static bool operator <=(GroupId left, GroupId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(GroupId left, GroupId right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"{Step}/{Index}";
}

/// <summary>A group as the curriculum plans it.</summary>
public sealed record PlannedGroup(GroupId Group, ProblemId Problem);
