using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Ghpo.Configuration;
using Ghpo.Node.Observing;
using Ghpo.Observability;
using Ghpo.Security;
using Ghpo.Tests.Configuration;
using Ghpo.Tests.Runs;
using Xunit;

namespace Ghpo.Tests.Observing;

public sealed class TelemetryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Health_is_what_its_source_says_and_nothing_else_is_there()
    {
        await using Telemetry telemetry = await Telemetry.StartAsync(Settings(), "run", "r");
        using var http = new HttpClient { BaseAddress = telemetry.Address };
        Assert.Equal((HttpStatusCode.OK, "starting\n"), await Get(http, "healthz"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "starting\n"), await Get(http, "readyz"));

        telemetry.Use(() => Task.FromResult(new Health(true, true, "learner waits for 3 of 24 groups")));
        Assert.Equal((HttpStatusCode.OK, "learner waits for 3 of 24 groups\n"), await Get(http, "readyz"));
        telemetry.Use(() => Task.FromResult(new Health(false, false, "nobody answers")));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "nobody answers\n"), await Get(http, "healthz"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "nobody answers\n"), await Get(http, "readyz"));

        // As load balancers ask.
        using HttpResponseMessage headed = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, new Uri("readyz", UriKind.Relative)), Stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, headed.StatusCode);

        Assert.Equal(HttpStatusCode.NotFound, (await Get(http, "")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await Get(http, "metrics/x")).Status);
        using HttpResponseMessage posted = await http.PostAsync(new Uri("readyz", UriKind.Relative), null, Stop);
        Assert.Equal(HttpStatusCode.NotFound, posted.StatusCode);
    }

    [Fact]
    public async Task With_neither_http_nor_a_receiver_no_port_is_open()
    {
        await using Telemetry telemetry = await Telemetry.StartAsync(SettingsBinder.Load(null, []), "run", "r");
        Assert.Null(telemetry.Address);
    }

    [Fact]
    public async Task A_taken_port_and_an_address_that_others_reach_stop_the_start_and_name_the_setting()
    {
        await using Telemetry first = await Telemetry.StartAsync(Settings(), "run", "r");
        string taken = (await Assert.ThrowsAsync<UserErrorException>(() => Telemetry.StartAsync(Settings($"observability.http-port={first.Address!.Port}"), "run", "r"))).Message;
        Assert.Contains("ghpo.observability.http-port", taken, StringComparison.Ordinal);
        string open = (await Assert.ThrowsAsync<UserErrorException>(() => Telemetry.StartAsync(Settings("observability.http-address=0.0.0.0"), "run", "r"))).Message;
        Assert.Contains("/metrics would listen on 0.0.0.0", open, StringComparison.Ordinal);
        string nonsense = Assert.Throws<UserErrorException>(() => Settings("observability.otlp-endpoint=collector")).Message;
        Assert.Contains("as in http://127.0.0.1:4318", nonsense, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Under_the_cluster_s_tls_members_alone_are_answered()
    {
        using var root = new TemporaryFolder();
        CertificateFiles.Write(root.Path, ["a", "b"], 2, TimeProvider.System);
        string[] tls =
        [
            "cluster.tls.enabled=true", $"cluster.tls.ca={Path.Combine(root.Path, "ca.pem")}", $"cluster.tls.certificate={Path.Combine(root.Path, "a.pem")}",
            $"cluster.tls.key={Path.Combine(root.Path, "a.key")}", "observability.http-address=0.0.0.0",
        ];
        await using Telemetry telemetry = await Telemetry.StartAsync(Settings(tls), "run", "r");
        var address = new Uri($"https://127.0.0.1:{telemetry.Address!.Port}/healthz");
        using ClusterCertificates member = ClusterCertificates.Load(new TlsSettings(true, Path.Combine(root.Path, "ca.pem"), Path.Combine(root.Path, "b.pem"), Path.Combine(root.Path, "b.key")), TimeProvider.System)!;
        using var known = new HttpClient(new SocketsHttpHandler { SslOptions = member.ForClients() });
        Assert.Equal("starting\n", await known.GetStringAsync(address, Stop));

#pragma warning disable CA5359 // What is tested is that the other side refuses.
        using var stranger = new HttpClient(new SocketsHttpHandler { SslOptions = new() { RemoteCertificateValidationCallback = (_, _, _, _) => true } });
#pragma warning restore CA5359
        await Assert.ThrowsAsync<HttpRequestException>(() => stranger.GetStringAsync(address, Stop));
    }

    [Fact]
    public async Task Metrics_and_traces_reach_a_receiver_of_otlp()
    {
        using var receiver = new HttpListener();
        int port = FreePort();
        receiver.Prefixes.Add($"http://127.0.0.1:{port}/");
        receiver.Start();
        var received = new ConcurrentDictionary<string, long>();
        Task taking = Task.Run(async () =>
        {
            while (receiver.IsListening)
            {
                HttpListenerContext request = await receiver.GetContextAsync();
                using var body = new MemoryStream();
                await request.Request.InputStream.CopyToAsync(body);
                received[request.Request.Url!.AbsolutePath] = body.Length;
                request.Response.Close();
            }
        }, Stop);
        await using (Telemetry telemetry = await Telemetry.StartAsync(SettingsBinder.Load(null, [SettingOverride.Parse($"observability.otlp-endpoint=http://127.0.0.1:{port}")]), "run", "r"))
        {
            Assert.Null(telemetry.Address);
            GhpoMeters.Checkpoints.Add(0);
            GhpoTraces.Begin("group", parent: null)!.End();
        }

        receiver.Stop();
        await Record.ExceptionAsync(() => taking);
        Assert.Equal(["/v1/metrics", "/v1/traces"], received.Keys.Order());
        Assert.All(received.Values, length => Assert.InRange(length, 50, int.MaxValue));
    }

    [Fact]
    public void The_page_has_every_instrument_as_the_code_makes_it_and_no_other()
    {
        string[] table =
        [
            .. File.ReadAllLines(Path.Combine(RepositoryFiles.Root, "docs", "observability.md")).Where(line => line.StartsWith("| `ghpo.", StringComparison.Ordinal)),
        ];
        Assert.Equal(
            GhpoMeters.All.Select(one => $"| `{one.Name}` | {one.GetType().Name.Split('`')[0].ToLowerInvariant()} | {one.Unit} | {one.Description} |"), table);
        Assert.Equal(
            typeof(GhpoMeters).GetProperties().Where(property => property.PropertyType.IsAssignableTo(typeof(System.Diagnostics.Metrics.Instrument))).Select(property => property.GetValue(null)).ToHashSet(),
            GhpoMeters.All.ToHashSet<object?>());
    }

    private static GhpoSettings Settings(params string[] own) => SettingsBinder.Load(
        null, [.. new[] { "observability.http=true", "observability.http-port=0" }.Concat(own).Select(one => SettingOverride.Parse(one))]);

    private static async Task<(HttpStatusCode Status, string Body)> Get(HttpClient http, string path)
    {
        using HttpResponseMessage answer = await http.GetAsync(new Uri(path, UriKind.Relative), Stop);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
