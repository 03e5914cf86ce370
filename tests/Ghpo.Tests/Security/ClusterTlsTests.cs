using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Akka.Actor;
using Ghpo.Configuration;
using Ghpo.Node.Runs;
using Ghpo.Policy;
using Ghpo.Policy.Plane;
using Ghpo.Security;
using Ghpo.Tests.Policy.Plane;
using Ghpo.Tests.Runs;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ghpo.Tests.Security;

public sealed class ClusterTlsTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

#pragma warning disable CA5359 // What is tested is that the other side refuses.
    private static readonly RemoteCertificateValidationCallback _trustAnybody = (_, _, _, _) => true;
#pragma warning restore CA5359

    private readonly TemporaryFolder _root = new();
    private readonly List<ClusterCertificates> _loaded = [];

    public void Dispose()
    {
        _loaded.ForEach(certificates => certificates.Dispose());
        _root.Dispose();
    }

    [Fact]
    public async Task Members_speak_over_akka_remote_and_others_do_not()
    {
        ClusterCertificates[] members = Members("cluster", "a", "b");
        await using RemoteSystem a = RemoteSystem.Node(members[0]);
        await using RemoteSystem b = RemoteSystem.Node(members[1]);
        Assert.Equal("pong", await b.EarOf(a).Ask<string>("ping", _patience, Stop));

        await using RemoteSystem foreign = RemoteSystem.Node(Members("another", "a")[0]);
        await Assert.ThrowsAsync<AskTimeoutException>(() => foreign.EarOf(a).Ask<string>("let me in", TimeSpan.FromSeconds(3), Stop));
        await a.ComplainsAsync("is no member of this cluster");
        Assert.Equal("pong", await b.EarOf(a).Ask<string>("ping", _patience, Stop));
        Assert.Equal(["ping", "ping"], a.Heard);
    }

    [Fact]
    public async Task A_node_without_a_certificate_of_the_authority_is_refused_by_the_node_it_calls()
    {
        await using RemoteSystem a = RemoteSystem.Node(Members("cluster", "a")[0]);
        ClusterCertificates foreign = Members("another", "x")[0];
        int port = ((ExtendedActorSystem)a.System).Provider.DefaultAddress.Port!.Value;

        // A caller that does not check whom it calls: only the node itself can refuse it.
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port, Stop);
        await using var tls = new SslStream(client.GetStream(), false, _trustAnybody);
        Exception? refused = await Record.ExceptionAsync(async () =>
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "a", ClientCertificates = [foreign.Own] }, Stop);
            await tls.WriteAsync(Encoding.ASCII.GetBytes("x"), Stop);
            Assert.Equal(0, await tls.ReadAsync(new byte[1], Stop));
        });
        Assert.True(refused is null or IOException or AuthenticationException, $"{refused}");
        await a.ComplainsAsync("is no member of this cluster");
    }

    [Fact]
    public async Task A_node_does_not_speak_to_one_that_has_no_certificate_of_the_authority()
    {
        await using RemoteSystem b = RemoteSystem.Node(Members("cluster", "b")[0]);
        ClusterCertificates foreign = Members("another", "x")[0];

        // A server that lets anybody in: only the calling node can refuse it.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        b.System.ActorSelection($"akka.ssl.tcp://x@127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/user/ear").Tell("secret");
        using TcpClient called = await listener.AcceptTcpClientAsync(Stop);
        await using var tls = new SslStream(called.GetStream(), false, _trustAnybody);
        Exception? refused = await Record.ExceptionAsync(async () =>
        {
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = foreign.Own, ClientCertificateRequired = true }, Stop);
            Assert.Equal(0, await tls.ReadAsync(new byte[1], Stop));
        });
        Assert.True(refused is null or IOException or AuthenticationException, $"{refused}");
        await b.ComplainsAsync("is no member of this cluster");
    }

    [Fact]
    public async Task The_policy_plane_serves_members_only()
    {
        ClusterCertificates[] members = Members("cluster", "a", "b");
        await using var planes = new PlaneHarness();
        PolicyPlane learner = await planes.StartAsync("learner", members[0]);
        PolicyPlane worker = await planes.StartAsync("worker", members[1]);
        PolicyPlane foreign = await planes.StartAsync("foreign", Members("another", "b")[0]);
        using PolicySnapshot policy = PlaneHarness.Snapshot(3);
        learner.Publish(policy);

        Assert.Equal("https", learner.Address.Scheme);
        (await worker.FetchAsync(policy.Epoch, policy.Version, policy.Hash, learner.Address, Stop)).Dispose();
        long sent = learner.BytesSent;
        await Assert.ThrowsAsync<PolicyFetchException>(() => foreign.FetchAsync(policy.Epoch, policy.Version, policy.Hash, learner.Address, Stop));

        // A client that trusts anybody, with no certificate, with a foreign one, and without TLS.
        using var bareHandler = new SocketsHttpHandler();
        bareHandler.SslOptions.RemoteCertificateValidationCallback = _trustAnybody;
        using var bare = new HttpClient(bareHandler);
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = _trustAnybody;
        handler.SslOptions.ClientCertificates = [_loaded[^1].Own];
        using var stranger = new HttpClient(handler);
        var address = new Uri(learner.Address, $"/policy/{policy.Hash}/chunks/0");
        await Assert.ThrowsAsync<HttpRequestException>(() => bare.GetAsync(address, Stop));
        await Assert.ThrowsAsync<HttpRequestException>(() => stranger.GetAsync(address, Stop));
        await Assert.ThrowsAsync<HttpRequestException>(() => bare.GetAsync(new UriBuilder(address) { Scheme = "http" }.Uri, Stop));
        Assert.Equal(sent, learner.BytesSent);
    }

    [Fact]
    public void Certificates_are_readable_by_their_owner_alone_and_are_not_written_over()
    {
        Members("cluster", "a");
        string folder = Path.Combine(_root.Path, "cluster");
        Assert.Equal(["a.key", "a.pem", "ca.pem"], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        if (!OperatingSystem.IsWindows())
        {
            foreach (string file in Directory.GetFiles(folder))
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }

        Assert.Contains("ca.pem exists", Assert.Throws<UserErrorException>(() => CertificateFiles.Write(folder, ["b"], 1, TimeProvider.System)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../a")]
    [InlineData("a/b")]
    [InlineData("ca")]
    [InlineData("a b")]
    public void A_name_that_no_node_can_have_is_refused(string node) =>
        Assert.Throws<UserErrorException>(() => CertificateFiles.Write(Path.Combine(_root.Path, "x"), [node], 1, TimeProvider.System));

    [Fact]
    public void Files_that_do_not_belong_together_or_are_out_of_date_are_refused_with_the_way_out()
    {
        Members("one", "a");
        Members("two", "a");
        string At(string cluster, string file) => Path.Combine(_root.Path, cluster, file);

        string Error(string ca, string certificate, string key, TimeProvider? time = null) =>
            Assert.Throws<UserErrorException>(() => ClusterCertificates.Load(new TlsSettings(true, ca, certificate, key), time ?? TimeProvider.System)).Message;

        Assert.Contains("`ghpo certs` makes new ones", Error(At("one", "ca.pem"), At("two", "a.pem"), At("two", "a.key")), StringComparison.Ordinal);
        Assert.Contains("ghpo.cluster.tls.certificate", Error(At("one", "ca.pem"), At("one", "a.pem"), At("two", "a.key")), StringComparison.Ordinal);
        Assert.Contains("ghpo.cluster.tls.ca", Error(At("one", "nothing.pem"), At("one", "a.pem"), At("one", "a.key")), StringComparison.Ordinal);
        Assert.Contains("certificate has expired", Error(At("one", "ca.pem"), At("one", "a.pem"), At("one", "a.key"), new LaterTime()), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("`ghpo certs` makes these files", Error(At("one", "ca.pem"), At("one", "a.pem"), ""), StringComparison.Ordinal);
        Assert.Null(ClusterCertificates.Load(new TlsSettings(false, "", "", ""), TimeProvider.System));
    }

    [Fact]
    public void Listening_where_others_reach_it_needs_protection_or_the_users_word_and_says_so_loudly()
    {
        Assert.Null(ListenRule.Check("Akka.Remote", "127.0.0.1", isProtected: false, insecure: false));
        Assert.Null(ListenRule.Check("Akka.Remote", "::1", isProtected: false, insecure: false));
        Assert.Null(ListenRule.Check("Akka.Remote", "10.0.0.7", isProtected: true, insecure: false));
        Assert.StartsWith("INSECURE: Akka.Remote listens on 0.0.0.0", ListenRule.Check("Akka.Remote", "0.0.0.0", isProtected: false, insecure: true), StringComparison.Ordinal);
        foreach (string host in new[] { "0.0.0.0", "::", "10.0.0.7", "learner" })
        {
            Assert.Contains(
                "ghpo.cluster.insecure = true",
                Assert.Throws<UserErrorException>(() => ListenRule.Check("Akka.Remote", host, isProtected: false, insecure: false)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    public void A_host_that_means_every_address_needs_another_one_that_nodes_can_call_it_by(string host)
    {
        ClusterSettings settings = SettingsBinder.Load(null, [new SettingOverride("ghpo.cluster.host", $"\"{host}\"", "a test"), new SettingOverride("ghpo.cluster.insecure", "true", "a test")]).Cluster;
        string message = Assert.Throws<UserErrorException>(() => ClusterEnd.Open(settings, _root.Path, kept: 2, NullLoggerFactory.Instance)).Message;
        Assert.StartsWith($"ghpo.cluster.host = {host} listens on every address of this machine", message, StringComparison.Ordinal);
        Assert.Contains("ghpo.cluster.advertised-host", message, StringComparison.Ordinal);
    }

    /// <summary>Makes a cluster's certificates and loads each node's.</summary>
    private ClusterCertificates[] Members(string cluster, params string[] nodes)
    {
        string folder = Path.Combine(_root.Path, cluster);
        if (!Directory.Exists(folder))
        {
            CertificateFiles.Write(folder, nodes, 2, TimeProvider.System);
        }

        ClusterCertificates[] loaded =
        [
            .. nodes.Select(node => ClusterCertificates.Load(
                new TlsSettings(true, Path.Combine(folder, "ca.pem"), Path.Combine(folder, $"{node}.pem"), Path.Combine(folder, $"{node}.key")), TimeProvider.System)!),
        ];
        _loaded.AddRange(loaded);
        return loaded;
    }

    private sealed class LaterTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow.AddDays(3);
    }
}
