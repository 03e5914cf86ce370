using System.Diagnostics;
using System.Globalization;

namespace Ghpo.Bench.Chaos;

/// <summary>
/// Hosts with addresses of their own on one switch: network namespaces, each with a virtual cable to a bridge. The bridge has an address too, by which this machine's own
/// processes are reached. Root on Linux with iproute2; gone when disposed.
/// <code>
///   this machine 10.219.n.1 ── bridge ─┬─ h2 10.219.n.2
///                                      └─ h3 10.219.n.3 …
/// </code>
/// </summary>
internal sealed class HostNetwork : IDisposable
{
    private readonly string _id = (Environment.ProcessId % 100_000).ToString(CultureInfo.InvariantCulture);
    private readonly string _subnet = $"10.219.{Environment.ProcessId % 250}";
    private readonly List<int> _hosts = [];

    private HostNetwork()
    {
    }

    /// <summary>Address of this machine's own processes.</summary>
    public string Own => $"{_subnet}.1";

    /// <summary>All of the hosts, as PostgreSQL writes it.</summary>
    public string Subnet => $"{_subnet}.0/24";

    private string Bridge => $"gb{_id}";

    /// <returns>Null and why: it cannot be made here.</returns>
    public static (HostNetwork? Network, string WhyNot) TryMake()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
        {
            return (null, "Network namespaces take root on Linux.");
        }

        var network = new HostNetwork();
        try
        {
            Ip($"link add {network.Bridge} type bridge");
            Ip($"address add {network.Own}/24 dev {network.Bridge}");
            Ip($"link set {network.Bridge} up");
            network.AddHost();
            return (network, "");
        }
        catch (Exception failure) when (failure is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            network.Dispose();
            return (null, $"No network namespace, bridge and virtual cable can be made here (package iproute2): {failure.Message}");
        }
    }

    /// <summary>Another host.</summary>
    /// <returns>Its number.</returns>
    public int AddHost()
    {
        int host = _hosts.Count + 2;
        _hosts.Add(host);
        Ip($"netns add {Namespace(host)}");
        Ip($"link add {Port(host)} type veth peer name eth0 netns {Namespace(host)}");
        Ip($"link set {Port(host)} master {Bridge}");
        Ip($"link set {Port(host)} up");
        Ip($"-n {Namespace(host)} address add {AddressOf(host)}/24 dev eth0");
        Ip($"-n {Namespace(host)} link set eth0 up");
        Ip($"-n {Namespace(host)} link set lo up");
        return host;
    }

    public string AddressOf(int host) => $"{_subnet}.{host}";

    /// <summary>What a command is run by on a host.</summary>
    public string[] Prefix(int host) => ["ip", "netns", "exec", Namespace(host)];

    /// <summary>Takes the host's cable off the switch: its packets, and those to it, go nowhere, and nobody is told.</summary>
    public void Cut(int host) => Ip($"link set {Port(host)} nomaster");

    public void Heal(int host) => Ip($"link set {Port(host)} master {Bridge}");

    /// <summary>The host finds this machine no more, and every other host as before: it sends what is for this machine to a network card that there is not.</summary>
    public void Hide(int host) => Ip($"-n {Namespace(host)} neigh replace {Own} lladdr 02:00:00:00:00:01 dev eth0 nud permanent");

    public void Show(int host) => Ip($"-n {Namespace(host)} neigh delete {Own} dev eth0");

    /// <summary>Hosts that are apart reach this machine and no other of the hosts that are apart.</summary>
    public void SetApart(int host, bool apart) => Run("bridge", $"link set dev {Port(host)} isolated {(apart ? "on" : "off")}");

    /// <summary>A slow cable, in both directions.</summary>
    public void Slow(int host, string rate)
    {
        string discipline = $"root tbf rate {rate} burst 16kbit latency 400ms";
        Run("tc", $"qdisc replace dev {Port(host)} {discipline}");
        Run("ip", $"netns exec {Namespace(host)} tc qdisc replace dev eth0 {discipline}");
    }

    public void Dispose()
    {
        foreach (int host in _hosts)
        {
            TryRun("ip", $"netns delete {Namespace(host)}");
            TryRun("ip", $"link delete {Port(host)}");
        }

        TryRun("ip", $"link delete {Bridge}");
    }

    private string Namespace(int host) => $"ghpo{_id}h{host}";

    private string Port(int host) => $"gp{_id}h{host}";

    private static void Ip(string arguments) => Run("ip", arguments);

    private static void Run(string command, string arguments)
    {
        (int exitCode, string said) = Call(command, arguments);
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"{command} {arguments}: {said.Trim()}");
        }
    }

    private static void TryRun(string command, string arguments) => Call(command, arguments);

    private static (int ExitCode, string Said) Call(string command, string arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        string said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, said);
    }
}
