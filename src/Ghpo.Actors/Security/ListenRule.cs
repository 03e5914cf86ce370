using System.Net;
using Ghpo.Configuration;

namespace Ghpo.Security;

/// <summary>Whether a port may be opened: on loopback always, elsewhere under protection, without it only where the user has said so.</summary>
public static class ListenRule
{
    /// <summary>Null: nothing to say. Else a warning to log at the start, loudly.</summary>
    /// <param name="what">What listens, as in "Akka.Remote".</param>
    /// <param name="host">Name or address that it listens on.</param>
    /// <param name="isProtected">TLS with certificates on both sides, or a shared secret that is asked for.</param>
    /// <exception cref="UserErrorException">Others could reach it, nothing protects it, and ghpo.cluster.insecure is not set.</exception>
    public static string? Check(string what, string host, bool isProtected, bool insecure) => (IsLoopback(host) || isProtected, insecure) switch
    {
        (true, _) => null,
        (false, true) =>
            $"INSECURE: {what} listens on {host} without TLS or a secret (ghpo.cluster.insecure = true). Whoever reaches the port can read the weights and take part in the run.",
        (false, false) => throw new UserErrorException(
            $"{what} would listen on {host}, which others can reach, without TLS. Set ghpo.cluster.tls (`ghpo certs` makes the files), listen on 127.0.0.1, "
            + "or, on a network that nobody else is in, set ghpo.cluster.insecure = true."),
    };

    /// <summary>Only what is loopback by its text: a name may stand for another address tomorrow.</summary>
    public static bool IsLoopback(string host) => host == "localhost" || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
}
