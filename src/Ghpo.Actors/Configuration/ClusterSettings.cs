using Ghpo.Policy.Plane;
using Ghpo.Security;

namespace Ghpo.Configuration;

/// <summary>ghpo.cluster</summary>
/// <param name="Insecure">Listen on other addresses than loopback without TLS.</param>
public sealed record ClusterSettings(bool Insecure, TlsSettings Tls, PolicyPlaneSettings PolicyPlane);
