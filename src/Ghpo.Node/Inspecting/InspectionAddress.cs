using System.Text.Json;
using Ghpo.Configuration;
using Ghpo.Node.Runs;
using Ghpo.Security;

namespace Ghpo.Node.Inspecting;

/// <summary>Where a host can be reached.</summary>
/// <param name="Tls">The certificates of the run on this machine, where it has any; else null.</param>
/// <param name="Run">The run on this machine that it was asked for by; null: by host and port.</param>
internal sealed record InspectionAddress(string Host, int Port, TlsSettings? Tls = null, RunFolder? Run = null)
{
    public static InspectionAddress Default { get; } = new("127.0.0.1", 9110);

    /// <summary>HOST:PORT, or a run of this machine by its name or folder.</summary>
    /// <exception cref="UserErrorException">There is no such run, it is not running, or no such address.</exception>
    public static InspectionAddress Of(string target) => target.Contains(':', StringComparison.Ordinal) && !Directory.Exists(target) ? Parse(target) : OfRun(target);

    /// <exception cref="UserErrorException">It is not HOST:PORT.</exception>
    public static InspectionAddress Parse(string address)
    {
        int colon = address.LastIndexOf(':');
        return colon > 0 && int.TryParse(address[(colon + 1)..], out int port) && port is > 0 and <= 65535
            ? new InspectionAddress(address[..colon].Trim('[', ']'), port)
            : throw new UserErrorException($"{address}: expected HOST:PORT, as in {Default}");
    }

    /// <exception cref="UserErrorException">There is no such run, or it is not running.</exception>
    public static InspectionAddress OfRun(string name)
    {
        RunFolder folder = RunFolder.Open(name);
        if (!File.Exists(folder.Inspection))
        {
            throw new UserErrorException($"{folder.Shown} is not running, or cannot be looked into (ghpo.inspection.enabled = false)");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(folder.Inspection));
            bool tls = document.RootElement.TryGetProperty("tls", out JsonElement speaks) && speaks.GetBoolean();
            return new InspectionAddress(
                document.RootElement.GetProperty("host").GetString()!, document.RootElement.GetProperty("port").GetInt32(), tls ? folder.ReadSettings().Cluster.Tls : null, folder);
        }
        catch (Exception damaged) when (damaged is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new UserErrorException($"{folder.Inspection}: not what a run writes there ({damaged.Message}); ask by HOST:PORT");
        }
    }

    public override string ToString() => $"{Host}:{Port}";
}
