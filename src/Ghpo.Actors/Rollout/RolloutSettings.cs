using System.ComponentModel.DataAnnotations;

namespace Ghpo.Rollout;

/// <summary>ghpo.rollout</summary>
public sealed record RolloutSettings(
    [property: Range(2, 4096)] int GroupSize,
    [property: Range(1, int.MaxValue)] int MaxNewTokens,
    [property: Range(0.0, 100.0)] double Temperature,
    [property: Range(0, int.MaxValue)] int TopK,
    [property: Range(0.0, 1.0, MinimumIsExclusive = true)] double TopP,
    [property: Range(0, 256)] int Workers,
    [property: Range(1, 65536)] int Slots,
    [property: Range(1L, long.MaxValue)] long CacheBytes,
    [property: Range(1, 1024)] int Threads,
    [property: Range(0, 1000)] int Staleness,
    bool SwitchInFlight,
    TimeSpan Deadline);
