using Ghpo.Configuration;

namespace Ghpo.Security;

/// <summary>A cluster's certificates as files: <c>ca.pem</c>, and for each node <c>&lt;node&gt;.pem</c> and <c>&lt;node&gt;.key</c>, readable by their owner alone.</summary>
public static class CertificateFiles
{
    public const string Authority = "ca.pem";

    /// <summary>Makes a new authority and a certificate for each node.</summary>
    /// <returns>The files written.</returns>
    /// <exception cref="UserErrorException">The folder holds certificates already, or a node's name cannot be one.</exception>
    public static IReadOnlyList<string> Write(string folder, IReadOnlyList<string> nodes, int days, TimeProvider time)
    {
        if (nodes.FirstOrDefault(node => Uri.CheckHostName(node) == UriHostNameType.Unknown || node.Contains(':', StringComparison.Ordinal)) is { } bad)
        {
            throw new UserErrorException($"'{bad}' is no name or IPv4 address of a node; write them as in --nodes learner,worker-0,10.0.0.7");
        }

        if (nodes.Count == 0 || nodes.Distinct(StringComparer.OrdinalIgnoreCase).Count() != nodes.Count || nodes.Contains("ca"))
        {
            throw new UserErrorException("--nodes needs one name or more, none twice, and none of them \"ca\"");
        }

        Directory.CreateDirectory(folder);
        string authorityFile = Path.Combine(folder, Authority);
        if (File.Exists(authorityFile))
        {
            throw new UserErrorException(
                $"{authorityFile} exists: members with certificates of another authority could not join. Use another --out, or move these files away and give every node new ones.");
        }

        using CertificateAuthority authority = CertificateAuthority.Create(days, time);
        var written = new List<string>();
        foreach (string node in nodes)
        {
            (string certificate, string key) = authority.Sign(node);
            written.Add(WriteNew(Path.Combine(folder, $"{node}.pem"), certificate));
            written.Add(WriteNew(Path.Combine(folder, $"{node}.key"), key));
        }

        written.Add(WriteNew(authorityFile, authority.CertificatePem));
        return written;
    }

    private static string WriteNew(string path, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            File.Delete(path);
        }

        using var writer = new StreamWriter(path, options);
        writer.WriteLine(text);
        return path;
    }
}
