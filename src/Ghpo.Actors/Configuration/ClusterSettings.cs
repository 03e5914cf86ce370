using System.ComponentModel.DataAnnotations;
using Ghpo.Policy.Plane;
using Ghpo.Security;

namespace Ghpo.Configuration;

/// <summary>ghpo.cluster</summary>
/// <param name="Enabled">Workers of other nodes may join.</param>
/// <param name="Host">Address to listen on.</param>
/// <param name="Port">0: any free one.</param>
/// <param name="AdvertisedHost">Name or address that others reach this process by; "": Host.</param>
/// <param name="Join">host:port of learners that a node may belong to.</param>
/// <param name="Name">Name of a node's worker; "": machine and process.</param>
/// <param name="Folder">For weights that a node fetched; "": a temporary one.</param>
/// <param name="Insecure">Listen on other addresses than loopback without TLS.</param>
public sealed record ClusterSettings(
    bool Enabled,
    string Host,
    [property: Range(0, 65535)] int Port,
    string AdvertisedHost,
    IReadOnlyList<string> Join,
    string Name,
    string Folder,
    bool Insecure,
    TlsSettings Tls,
    PolicyPlaneSettings PolicyPlane)
{
    /// <summary>What others call this process's host.</summary>
    public string ReachedAs => AdvertisedHost.Length > 0 ? AdvertisedHost : Host;
}
