using System.ComponentModel.DataAnnotations;

namespace Ghpo.Observability;

/// <summary>ghpo.observability</summary>
/// <param name="Http">Metrics and health are served.</param>
/// <param name="HttpPort">0: any free one.</param>
/// <param name="OtlpEndpoint">Base address of an OTLP/HTTP receiver; "": nothing is sent.</param>
public sealed record ObservabilitySettings(
    bool Http,
    string HttpAddress,
    [property: Range(0, 65535)] int HttpPort,
    string OtlpEndpoint);
