using Akka.Event;
using Akka.Remote.Transport.DotNetty;

namespace Ghpo.Security;

/// <summary>TLS with certificates on both sides for Akka.Remote.</summary>
public static class RemoteTls
{
    /// <summary>To be appended to the configuration of a node that has <see cref="Setup"/>.</summary>
    public const string Hocon = "akka.remote.dot-netty.tcp.enable-ssl = on";

    /// <summary>
    /// Both sides of each association show a certificate and check the other's against the cluster's authority alone; the system's authorities are not asked. A peer
    /// that fails is logged as a warning with the reason, and no association comes about.
    /// </summary>
    public static DotNettySslSetup Setup(ClusterCertificates certificates) => new(
        certificates.Own,
        suppressValidation: false,
        requireMutualAuthentication: true,
        (peer, _, remote, _, log) =>
        {
            string? reason = certificates.WhyNoMember(peer);
            if (reason is not null)
            {
                log.Warning("Refused: {Remote} is no member of this cluster: {Reason}", remote, reason);
            }

            return reason is null;
        });
}
