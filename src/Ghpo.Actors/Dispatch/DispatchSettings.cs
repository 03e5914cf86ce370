using System.ComponentModel.DataAnnotations;

namespace Ghpo.Dispatch;

/// <summary>ghpo.dispatch</summary>
/// <param name="Permits">Groups between planning and settling at any time.</param>
public sealed record DispatchSettings([property: Range(1, 100_000)] int Permits);
