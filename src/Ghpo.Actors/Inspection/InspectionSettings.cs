using System.ComponentModel.DataAnnotations;

namespace Ghpo.Inspection;

/// <summary>ghpo.inspection</summary>
/// <param name="Port">0: any free one.</param>
/// <param name="Token">"": none, which loopback addresses alone may do without.</param>
public sealed record InspectionSettings(
    bool Enabled,
    string Host,
    [property: Range(0, 65535)] int Port,
    string Token);
