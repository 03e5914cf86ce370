using Ghpo.Configuration;
using Ghpo.Observability;
using Ghpo.Security;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Ghpo.Node.Observing;

/// <summary>
/// What leaves a process for the tools that watch it, as ghpo.observability says: metrics and health over HTTP, metrics and traces to a receiver of OTLP.
/// With neither, nothing is collected. Disposing sends what is left and closes the port.
/// </summary>
internal sealed class Telemetry : IAsyncDisposable
{
    /// <summary>A receiver that does not take what it is sent within this time is not waited for.</summary>
    private const int ReceiverPatience = 3000;

    private readonly MeterProvider? _metrics;
    private readonly TracerProvider? _traces;
    private readonly HealthServer? _server;
    private readonly ClusterCertificates? _certificates;

    private Telemetry(MeterProvider? metrics, TracerProvider? traces, HealthServer? server, ClusterCertificates? certificates)
    {
        _metrics = metrics;
        _traces = traces;
        _server = server;
        _certificates = certificates;
    }

    /// <summary>Where /metrics is; null: nowhere.</summary>
    public Uri? Address => _server?.Address;

    /// <param name="kind">What the process is: run or node.</param>
    /// <param name="name">Name of the run or node.</param>
    /// <exception cref="UserErrorException">The address may not be opened, or is taken, or certificates are wrong.</exception>
    public static async Task<Telemetry> StartAsync(GhpoSettings settings, string kind, string name)
    {
        ObservabilitySettings wanted = settings.Observability;
        Uri? receiver = wanted.OtlpEndpoint.Length > 0 ? new Uri(wanted.OtlpEndpoint.TrimEnd('/') + '/') : null;
        if (!wanted.Http && receiver is null)
        {
            return new Telemetry(null, null, null, null);
        }

        if (wanted.Http && ListenRule.Check("/metrics", wanted.HttpAddress, settings.Cluster.Tls.Enabled, settings.Cluster.Insecure) is { } warning)
        {
            await Console.Error.WriteLineAsync(warning);
        }

        ResourceBuilder resource = ResourceBuilder.CreateEmpty()
            .AddService("ghpo", serviceVersion: typeof(Telemetry).Assembly.GetName().Version?.ToString(3), serviceInstanceId: name)
            .AddAttributes([new KeyValuePair<string, object>($"ghpo.{kind}", name)]);
        ClusterCertificates? certificates = null;
        MeterProvider? metrics = null;
        TracerProvider? traces = null;
        try
        {
            metrics = Metrics(resource, wanted.Http, receiver);
            traces = receiver is null ? null : Traces(resource, receiver);
            certificates = wanted.Http ? ClusterCertificates.Load(settings.Cluster.Tls, TimeProvider.System) : null;
            HealthServer? server = wanted.Http ? await HealthServer.StartAsync(wanted, certificates, metrics) : null;
            return new Telemetry(metrics, traces, server, certificates);
        }
        catch
        {
            metrics?.Dispose();
            traces?.Dispose();
            certificates?.Dispose();
            throw;
        }
    }

    /// <summary>There is somebody who knows how the process stands.</summary>
    public void Use(Func<Task<Health>> health)
    {
        if (_server is not null)
        {
            _server.Source = health;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _traces?.Dispose();
        _metrics?.Dispose();
        _certificates?.Dispose();
    }

    private static MeterProvider Metrics(ResourceBuilder resource, bool served, Uri? receiver)
    {
        MeterProviderBuilder builder = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(GhpoMeters.Name, "System.Runtime");
        if (served)
        {
            builder.AddPrometheusExporter();
        }

        if (receiver is not null)
        {
            builder.AddOtlpExporter(options => SendTo(options, new Uri(receiver, "v1/metrics")));
        }

        return builder.Build();
    }

    private static TracerProvider Traces(ResourceBuilder resource, Uri receiver) => Sdk.CreateTracerProviderBuilder()
        .SetResourceBuilder(resource)
        .AddSource(GhpoTraces.Name)
        .AddOtlpExporter(options => SendTo(options, new Uri(receiver, "v1/traces")))
        .Build();

    private static void SendTo(OtlpExporterOptions options, Uri address)
    {
        options.Protocol = OtlpExportProtocol.HttpProtobuf;
        options.Endpoint = address;
        options.TimeoutMilliseconds = ReceiverPatience;
    }
}
