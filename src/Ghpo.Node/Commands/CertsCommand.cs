using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Security;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo certs</c>: a private certificate authority for one cluster, and a certificate for each of its nodes.</summary>
internal static class CertsCommand
{
    public static Command Build()
    {
        var folder = new Option<string>("--out") { Description = "Folder for the files.", HelpName = "FOLDER", Required = true };
        var nodes = new Option<string>("--nodes") { Description = "Names or addresses of the nodes, separated by commas.", HelpName = "a,b,c", Required = true };
        var days = new Option<int>("--days") { Description = "Days that the certificates are valid.", HelpName = "N", DefaultValueFactory = _ => 365 };
        var command = new Command("certs", "Makes certificates for a cluster: an authority of its own, and for each node a certificate and a key.") { folder, nodes, days };
        command.SetAction(parsed =>
        {
            string target = parsed.GetRequiredValue(folder);
            if (parsed.GetValue(days) is var valid and (< 1 or > 36500))
            {
                throw new UserErrorException($"--days {valid}: must lie between 1 and 36500");
            }

            string[] names = parsed.GetRequiredValue(nodes).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            TextWriter output = parsed.InvocationConfiguration.Output;
            foreach (string file in CertificateFiles.Write(target, names, parsed.GetValue(days), TimeProvider.System))
            {
                output.WriteLine(file);
            }

            output.WriteLine(
                $"""

                On each node:
                  --set cluster.tls.ca={Path.Combine(target, CertificateFiles.Authority)} --set cluster.tls.certificate={Path.Combine(target, "<node>.pem")} --set cluster.tls.key={Path.Combine(target, "<node>.key")} --set cluster.tls.enabled=true
                Give each node ca.pem and its own two files only. The authority's key was not kept: for more nodes, make all anew.
                """);
            return ExitCodes.Success;
        });
        return command;
    }
}
