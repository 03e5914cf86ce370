namespace Ghpo.Problems;

/// <summary>The part of a data set that a problem belongs to.</summary>
public enum DataSplit
{
    Train,
    HeldOut,
}
