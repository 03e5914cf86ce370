using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Node.Inspecting;
using Ghpo.Node.Runs;
using Ghpo.Security;

namespace Ghpo.Node.Commands;

/// <summary>How a client shows a host that it may ask.</summary>
internal sealed class ClientOptions
{
    private readonly Option<string?> _token = new("--token") { Description = $"What ghpo.inspection.token of the run says (or the variable {EnvironmentSettings.ClientToken}).", HelpName = "TOKEN" };
    private readonly Option<string?> _ca = new("--tls-ca") { Description = "Where the cluster has TLS: certificate of its authority. A run named by its name says by itself.", HelpName = "FILE" };
    private readonly Option<string?> _certificate = new("--tls-certificate") { Description = "Certificate of a member.", HelpName = "FILE" };
    private readonly Option<string?> _key = new("--tls-key") { Description = "Private key of that member.", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        foreach (Option<string?> option in new[] { _token, _ca, _certificate, _key })
        {
            command.Add(option);
        }
    }

    /// <exception cref="UserErrorException">Nobody listens there, it is no such host, or it does not let this client in.</exception>
    public async Task<PbmClient> ConnectAsync(ParseResult parsed, InspectionAddress address)
    {
        string?[] files = [parsed.GetValue(_ca), parsed.GetValue(_certificate), parsed.GetValue(_key)];
        TlsSettings? tls = files switch
        {
            [null, null, null] => address.Tls,
            [{ } ca, { } certificate, { } key] => new TlsSettings(true, ca, certificate, key),
            _ => throw new UserErrorException("--tls-ca, --tls-certificate and --tls-key go together: `ghpo certs` makes all three"),
        };
        using ClusterCertificates? certificates = tls is null ? null : ClusterCertificates.Load(tls, TimeProvider.System);
        string token = parsed.GetValue(_token) ?? Environment.GetEnvironmentVariable(EnvironmentSettings.ClientToken) ?? "";
        try
        {
            return await PbmClient.ConnectAsync(address.Host, address.Port, token, certificates);
        }
        catch (UserErrorException) when (address.Run is { } run && !RunProcess.IsAlive(run))
        {
            throw new UserErrorException($"{run.Shown} is not running: its process is gone. Go on with: {run.ResumeCommand}");
        }
    }
}
