using System.Net;
using Ghpo.Configuration;
using Ghpo.Policy.Plane;
using Ghpo.Security;
using Microsoft.Extensions.Logging;

namespace Ghpo.Node.Runs;

/// <summary>What a process opens to the other nodes of its cluster beside its actor system: the policy plane, and the certificates that protect both.</summary>
internal sealed class ClusterEnd : IDisposable
{
    private ClusterEnd(PolicyPlane plane, ClusterCertificates? certificates)
    {
        Plane = plane;
        Certificates = certificates;
    }

    public PolicyPlane Plane { get; }

    public ClusterCertificates? Certificates { get; }

    /// <param name="folder">For weights, of this process alone.</param>
    /// <param name="kept">Versions that stay to be had.</param>
    /// <param name="log">Gets what fetches have to say about their sources.</param>
    /// <exception cref="UserErrorException">The address may not be opened, or is taken, or none that others could call, or certificates are wrong.</exception>
    public static ClusterEnd Open(ClusterSettings settings, string folder, int kept, ILoggerFactory log)
    {
        string? warning = ListenRule.Check("the cluster", settings.Host, settings.Tls.Enabled, settings.Insecure);
        if (warning is not null)
        {
            Console.Error.WriteLine(warning);
        }

        if (IPAddress.TryParse(settings.ReachedAs, out IPAddress? every) && (every.Equals(IPAddress.Any) || every.Equals(IPAddress.IPv6Any)))
        {
            throw new UserErrorException(
                $"ghpo.cluster.host = {settings.ReachedAs} listens on every address of this machine, and is none that others could call it by; set ghpo.cluster.advertised-host to one that is.");
        }

        ClusterCertificates? certificates = ClusterCertificates.Load(settings.Tls, TimeProvider.System);
        try
        {
            var options = new PolicyPlaneOptions(
                folder, kept, AddressOf("ghpo.cluster.host", settings.Host), settings.ReachedAs, settings.PolicyPlane, certificates, log);

            // Before any host runs, on a thread that nobody waits for: there is nothing to be asynchronous with.
            return new ClusterEnd(Task.Run(() => PolicyPlane.StartAsync(options)).GetAwaiter().GetResult(), certificates);
        }
        catch
        {
            certificates?.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Task.Run(async () => await Plane.DisposeAsync()).GetAwaiter().GetResult();
        Certificates?.Dispose();
    }

    /// <param name="key">The setting that names it.</param>
    /// <exception cref="UserErrorException">It is no address of this machine.</exception>
    internal static IPAddress AddressOf(string key, string host)
    {
        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            return address;
        }

        try
        {
            return Dns.GetHostAddresses(host).First();
        }
        catch (Exception failure) when (failure is System.Net.Sockets.SocketException or InvalidOperationException)
        {
            throw new UserErrorException($"{key} = {host} is no address of this machine: {failure.Message}");
        }
    }
}
