using System.Net;
using Ghpo.Configuration;
using Ghpo.Node.Runs;
using Ghpo.Observability;
using Ghpo.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Metrics;

namespace Ghpo.Node.Observing;

/// <summary>
/// What tools that watch machines ask over HTTP. It reads and answers; nothing that is sent to it changes anything.
/// <code>
/// GET /metrics   Prometheus' text format
/// GET /healthz   200 while the process's actors answer, else 503      body: a sentence
/// GET /readyz    200 while it does its work, else 503                 body: a sentence
/// </code>
/// HEAD of the last two answers without the body.
/// </summary>
internal sealed class HealthServer : IAsyncDisposable
{
    private const int MostConnections = 64;

    private readonly WebApplication _kestrel;
    private volatile Func<Task<Health>> _health = () => Task.FromResult(Health.Starting);

    private HealthServer(WebApplication kestrel) => _kestrel = kestrel;

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Who knows how the process stands, from when there is somebody to ask.</summary>
    public Func<Task<Health>> Source
    {
        set => _health = value;
    }

    /// <param name="certificates">Null: plain HTTP.</param>
    /// <exception cref="UserErrorException">The port is taken, or the address is none of this machine.</exception>
    public static async Task<HealthServer> StartAsync(ObservabilitySettings settings, ClusterCertificates? certificates, MeterProvider metrics)
    {
        IPAddress address = ClusterEnd.AddressOf("ghpo.observability.http-address", settings.HttpAddress);
        WebApplication kestrel = Build(address, settings.HttpPort, certificates);
        var server = new HealthServer(kestrel);
        kestrel.UseOpenTelemetryPrometheusScrapingEndpoint(
            metrics, context => context.Request.Path == "/metrics" && HttpMethods.IsGet(context.Request.Method), path: null, configureBranchedPipeline: null, optionsName: null);
        kestrel.Run(server.AnswerAsync);
        try
        {
            await kestrel.StartAsync();
        }
        catch (IOException failure)
        {
            await kestrel.DisposeAsync();
            throw new UserErrorException($"/metrics cannot be served at {settings.HttpAddress}:{settings.HttpPort} (ghpo.observability.http-port; 0 takes any free one): {failure.Message}");
        }

        server.Address = new Uri(((IApplicationBuilder)kestrel).ServerFeatures.Get<IServerAddressesFeature>()!.Addresses.Single());
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _kestrel.StopAsync(now.Token);
        await _kestrel.DisposeAsync();
    }

    private static WebApplication Build(IPAddress address, int port, ClusterCertificates? certificates)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<IHostLifetime, SignalsAreHandledElsewhere>();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MostConnections;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Listen(address, port, listen => ClusterCertificates.Listen(listen, certificates));
        });
        return builder.Build();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        bool aliveAlone = context.Request.Path == "/healthz";
        bool head = HttpMethods.IsHead(context.Request.Method);
        if (!(head || HttpMethods.IsGet(context.Request.Method)) || !(aliveAlone || context.Request.Path == "/readyz"))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        Health health = await _health();
        context.Response.StatusCode = (aliveAlone ? health.Alive : health.Ready) ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/plain; charset=utf-8";
        if (!head)
        {
            await context.Response.WriteAsync(health.Sentence + "\n", context.RequestAborted);
        }
    }
}
