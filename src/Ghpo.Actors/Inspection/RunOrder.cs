namespace Ghpo.Inspection;

/// <summary>What a user orders a run to do. Journalled by number.</summary>
public enum RunOrder
{
    /// <summary>Begin no further step until resumed; what is begun is finished.</summary>
    Pause = 0,

    Resume = 1,

    /// <summary>Finish the steps that are begun, take a checkpoint, and end.</summary>
    Stop = 2,

    /// <summary>Take a checkpoint after the step in hand.</summary>
    Checkpoint = 3,
}
