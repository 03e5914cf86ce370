namespace Ghpo.Dispatch;

/// <summary>
/// How many groups a worker decodes together, as far as its slots go and as far as the memory for its keys and values goes. The first is known when it joins, the second shows: how much a
/// sequence takes depends on how long it becomes. A value: reports in, the next value out.
/// <code>
/// sequences wait for memory:   room ← groups in hand − groups that wait, one at least
/// none waits, and it is full:  room ← room + 1, up to what its slots hold
/// </code>
/// So one that is short of memory is given what it can decode, and what it would only keep waiting goes to others.
/// </summary>
/// <param name="Slots">Groups that its slots hold.</param>
/// <param name="Groups">Its room.</param>
internal readonly record struct WorkerRoom(int Slots, int Groups)
{
    public static WorkerRoom Of(int slots) => new(slots, slots);

    /// <summary>A report has come.</summary>
    /// <param name="held">Groups that it has in hand.</param>
    /// <param name="starved">Of its sequences, those that wait for memory.</param>
    public WorkerRoom Reported(int held, int starved, int groupSize) =>
        starved > 0 ? this with { Groups = Math.Clamp(held - ((starved + groupSize - 1) / groupSize), 1, Slots) }
        : held >= Groups ? this with { Groups = Math.Min(Groups + 1, Slots) }
        : this;
}
