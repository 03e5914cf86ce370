using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ghpo.Configuration;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Ghpo.Security;

/// <summary>
/// This member's certificate and the cluster's authority. A peer is a member if this authority signed its certificate and the certificate is valid now; nothing else
/// counts: not the system's authorities, and not the peer's name or address, which change in containers. Whoever holds a member's key is a member.
/// </summary>
public sealed class ClusterCertificates : IDisposable
{
    private readonly TimeProvider _time;

    private ClusterCertificates(X509Certificate2 authority, X509Certificate2 own, TimeProvider time)
    {
        Authority = authority;
        Own = own;
        _time = time;
    }

    public X509Certificate2 Authority { get; }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Own { get; }

    /// <summary>Reads and checks the files; null where TLS is off.</summary>
    /// <exception cref="UserErrorException">A file is missing or damaged, the key is another one's, or the certificate is none of this authority or not valid now.</exception>
    public static ClusterCertificates? Load(TlsSettings settings, TimeProvider time)
    {
        if (!settings.Enabled)
        {
            return null;
        }

        // Not a rule between settings: a resume changes them one by one.
        if (settings.Ca.Length == 0 || settings.Certificate.Length == 0 || settings.Key.Length == 0)
        {
            throw new UserErrorException(
                "ghpo.cluster.tls.enabled = true needs ghpo.cluster.tls.ca, ghpo.cluster.tls.certificate and ghpo.cluster.tls.key; `ghpo certs` makes these files.");
        }

        X509Certificate2 authority = Read("ca", settings.Ca, X509CertificateLoader.LoadCertificateFromFile);
        X509Certificate2 own = Read("certificate", settings.Certificate, path => LoadWithKey(path, settings.Key));
        var loaded = new ClusterCertificates(authority, own, time);
        if (loaded.WhyNoMember(own) is { } reason)
        {
            loaded.Dispose();
            throw new UserErrorException(
                $"ghpo.cluster.tls.certificate = {settings.Certificate} cannot be used with ghpo.cluster.tls.ca = {settings.Ca}: {reason}. `ghpo certs` makes new ones.");
        }

        return loaded;
    }

    /// <summary>Null: the certificate's holder is a member of this cluster. Else what is wrong.</summary>
    public string? WhyNoMember(X509Certificate? peer)
    {
        if (peer is null)
        {
            return "it showed no certificate";
        }

        using var certificate = new X509Certificate2(peer);
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(Authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = _time.GetUtcNow().LocalDateTime;
        return chain.Build(certificate)
            ? null
            : $"{certificate.Subject}: {string.Join(", ", chain.ChainStatus.Select(status => status.StatusInformation.TrimEnd('.', ' ', '\n')).Distinct())}";
    }

    /// <summary>What a client needs to speak with members only.</summary>
    public SslClientAuthenticationOptions ForClients() => new()
    {
        ClientCertificates = [Own],
        RemoteCertificateValidationCallback = (_, certificate, _, _) => WhyNoMember(certificate) is null,
    };

    /// <summary>Sets up a port for HTTP/1.1: with certificates only members can speak with it.</summary>
    /// <param name="certificates">Null: without TLS.</param>
    public static void Listen(ListenOptions port, ClusterCertificates? certificates)
    {
        port.Protocols = HttpProtocols.Http1;
        if (certificates is not null)
        {
            port.UseHttps(new HttpsConnectionAdapterOptions
            {
                ServerCertificate = certificates.Own,
                ClientCertificateMode = ClientCertificateMode.RequireCertificate,
                ClientCertificateValidation = (certificate, _, _) => certificates.WhyNoMember(certificate) is null,
            });
        }
    }

    public void Dispose()
    {
        Authority.Dispose();
        Own.Dispose();
    }

    private static X509Certificate2 LoadWithKey(string path, string key)
    {
        using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(path, key);

        // Windows cannot serve TLS with the key of a PEM file until it went through this format.
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    private static X509Certificate2 Read(string key, string path, Func<string, X509Certificate2> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UserErrorException($"ghpo.cluster.tls.{key} = {path} cannot be read: {failure.Message}");
        }
    }
}
