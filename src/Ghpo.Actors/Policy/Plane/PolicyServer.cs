using System.Collections.Immutable;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Text.Json;
using Ghpo.Configuration;
using Ghpo.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Ghpo.Policy.Plane;

/// <summary>
/// Serves what the archive holds, by hash; what a request names is looked up, and never becomes a path.
/// <code>
/// GET  /policy/{hash}/manifest      the manifest                                     404: not held here
/// GET  /policy/{hash}/chunks/{n}    the chunk's bytes; one that is still on its way   404: not held here
///                                   is waited for, for some seconds                   503: not yet, or too many at a time; ask again
/// GET  /policy/{hash}/parts         model and adapter that it is made of              404: it is in one piece, or not published here
/// POST /policy/{hash}/sources       {"plane","failed":[…]} → {"sources":[…]}           404: published elsewhere
/// POST /policy/{hash}/whole         {"plane"}: has all of it, and may be sent others
/// </code>
/// So many chunks are sent at a time as are allowed, and eight times as many requests wait; a reader that takes less than 16 KiB a second is cut off.
/// </summary>
internal sealed class PolicyServer : IAsyncDisposable
{
    private const int PieceBytes = 1 << 18;
    private const int LongestBody = 1 << 16;
    private static readonly TimeSpan _chunkPatience = TimeSpan.FromSeconds(5);
    private static readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web);

    private readonly PolicyArchive _archive;
    private readonly Lock _directoryLock = new();
    private readonly PolicyDirectory _directory;
    private readonly List<PolicyRecipe> _recipes = [];
    private readonly int _kept;
    private readonly WebApplication _kestrel;
    private readonly SemaphoreSlim _transfers;
    private readonly int _mostWaiting;
    private int _waiting;
    private long _bytesSent;

    private PolicyServer(PolicyArchive archive, int kept, int transfers, WebApplication kestrel, Uri address)
    {
        _kept = kept;
        _archive = archive;
        _directory = new PolicyDirectory(address, kept);
        _transfers = new SemaphoreSlim(transfers);
        _mostWaiting = 8 * transfers;
        _kestrel = kestrel;
        Address = address;
    }

    public Uri Address { get; }

    /// <summary>Bytes of chunks since the start.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <param name="host">Name or address that others reach this process by; what it listens on is <paramref name="bind"/>.</param>
    /// <param name="tls">Null: plain HTTP.</param>
    /// <exception cref="UserErrorException">The port is taken, or the address is none of this machine.</exception>
    public static async Task<PolicyServer> StartAsync(
        PolicyArchive archive, int kept, IPAddress bind, string host, PolicyPlaneSettings settings, ClusterCertificates? tls, ILoggerFactory log)
    {
        PolicyServer? server = null;
        WebApplication kestrel = Build(bind, settings.Port, tls, log);
        kestrel.Run(context => server!.AnswerAsync(context));
        Uri address;
        try
        {
            await kestrel.StartAsync();
            string bound = ((IApplicationBuilder)kestrel).ServerFeatures.Get<IServerAddressesFeature>()!.Addresses.Single();
            address = new UriBuilder(tls is null ? "http" : "https", host, new Uri(bound).Port).Uri;
        }
        catch (IOException failure)
        {
            await kestrel.DisposeAsync();
            throw new UserErrorException($"The policy plane cannot listen on {bind}:{settings.Port} (ghpo.cluster.policy-plane.port): {failure.Message}");
        }

        server = new PolicyServer(archive, kept, settings.Transfers, kestrel, address);
        return server;
    }

    /// <summary>Lets others find this policy here.</summary>
    public void Announce(string hash)
    {
        lock (_directoryLock)
        {
            _directory.Publish(hash);
        }
    }

    /// <summary>Lets others find the parts of this policy here, and how to put them together.</summary>
    public void Announce(PolicyRecipe recipe)
    {
        lock (_directoryLock)
        {
            _directory.Publish(recipe.Base, pinned: true);
            _directory.Publish(recipe.Adapter);
            _recipes.RemoveAll(known => known.Hash == recipe.Hash);
            _recipes.Add(recipe);
            if (_recipes.Count > _kept)
            {
                _recipes.RemoveAt(0);
            }
        }
    }

    public void Forget(Uri plane)
    {
        lock (_directoryLock)
        {
            _directory.Forget(plane);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Open transfers are cut: their readers find another source.
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _kestrel.StopAsync(now.Token);
        await _kestrel.DisposeAsync();
        _transfers.Dispose();
    }

    private static WebApplication Build(IPAddress bind, int port, ClusterCertificates? tls, ILoggerFactory log)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(log);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 8192;
            kestrel.Limits.MaxRequestBodySize = LongestBody;
            kestrel.Limits.MaxResponseBufferSize = 4 * PieceBytes;
            kestrel.Limits.MinResponseDataRate = new MinDataRate(16 << 10, TimeSpan.FromSeconds(10));
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Listen(bind, port, listen => ClusterCertificates.Listen(listen, tls));
        });
        return builder.Build();
    }

    private Task AnswerAsync(HttpContext context)
    {
        string method = context.Request.Method;
        string[] parts = (context.Request.Path.Value ?? "").Split('/');
        return parts switch
        {
            ["", "policy", var hash, "manifest"] when method == HttpMethods.Get && Held(hash) is { } policy => SendAsync(context, policy.Manifest.Encode()),
            ["", "policy", var hash, "parts"] when method == HttpMethods.Get && RecipeOf(hash) is { } recipe => SendAsync(context, recipe.Encode()),
            ["", "policy", var hash, "chunks", var number] when method == HttpMethods.Get && Held(hash) is { } policy
                && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int chunk) && chunk < policy.Manifest.Chunks.Length
                => SendChunkAsync(context, policy, chunk),
            ["", "policy", var hash, "sources"] when method == HttpMethods.Post => SendSourcesAsync(context, hash),
            ["", "policy", var hash, "whole"] when method == HttpMethods.Post => NoteWholeAsync(context, hash),
            _ => Refuse(context, StatusCodes.Status404NotFound),
        };
    }

    private ArchivedPolicy? Held(string hash) => PolicyArchive.IsHash(hash) ? _archive.Find(hash) : null;

    private PolicyRecipe? RecipeOf(string hash)
    {
        lock (_directoryLock)
        {
            return _recipes.Find(recipe => recipe.Hash == hash);
        }
    }

    private static async Task SendAsync(HttpContext context, byte[] body)
    {
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private async Task SendChunkAsync(HttpContext context, ArchivedPolicy policy, int chunk)
    {
        if (Interlocked.Increment(ref _waiting) > _mostWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            await Refuse(context, StatusCodes.Status503ServiceUnavailable);
            return;
        }

        bool here;
        try
        {
            here = await policy.WhenHere(chunk).WaitAsync(_chunkPatience, context.RequestAborted);
            if (here)
            {
                await _transfers.WaitAsync(context.RequestAborted);
            }
        }
        catch (TimeoutException)
        {
            await Refuse(context, StatusCodes.Status503ServiceUnavailable);
            return;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        if (!here)
        {
            await Refuse(context, StatusCodes.Status404NotFound);
            return;
        }

        try
        {
            await SendAsync(context, policy, chunk);
        }
        finally
        {
            _transfers.Release();
        }
    }

    private async Task SendAsync(HttpContext context, ArchivedPolicy policy, int chunk)
    {
        int length = policy.Manifest.LengthOf(chunk);
        context.Response.ContentLength = length;
        PipeWriter body = context.Response.BodyWriter;
        for (int offset = 0; offset < length; offset += PieceBytes)
        {
            int piece = Math.Min(PieceBytes, length - offset);
            try
            {
                policy.Read(chunk, offset, body.GetMemory(piece).Span[..piece]);
            }
            catch (ObjectDisposedException)
            {
                // Newer policies have displaced it. The reader sees a connection that ends too early, and asks again.
                context.Abort();
                return;
            }

            body.Advance(piece);
            await body.FlushAsync(context.RequestAborted);
            Interlocked.Add(ref _bytesSent, piece);
        }
    }

    private async Task SendSourcesAsync(HttpContext context, string hash)
    {
        if (await ReadAsync(context) is not { } query)
        {
            await Refuse(context, StatusCodes.Status400BadRequest);
            return;
        }

        ImmutableArray<Uri> sources;
        lock (_directoryLock)
        {
            sources = _directory.Ask(hash, query.Plane, query.Failed ?? []);
        }

        if (sources.IsEmpty)
        {
            await Refuse(context, StatusCodes.Status404NotFound);
            return;
        }

        await JsonSerializer.SerializeAsync(context.Response.Body, new SourcesAnswer(sources), _json, context.RequestAborted);
    }

    private async Task NoteWholeAsync(HttpContext context, string hash)
    {
        if (await ReadAsync(context) is not { } query)
        {
            await Refuse(context, StatusCodes.Status400BadRequest);
            return;
        }

        lock (_directoryLock)
        {
            _directory.NoteWhole(hash, query.Plane);
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Null: the body is none that a plane sends. An address is passed on to other members, so it must be one of a plane.</summary>
    private async Task<SourcesQuery?> ReadAsync(HttpContext context)
    {
        try
        {
            SourcesQuery? query = await JsonSerializer.DeserializeAsync<SourcesQuery>(context.Request.Body, _json, context.RequestAborted);
            return query?.Plane is { } plane && IsPlane(plane) && (query.Failed ?? []).All(IsPlane) ? query : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private bool IsPlane(Uri address) => address.IsAbsoluteUri && address.Scheme == Address.Scheme && address.PathAndQuery == "/" && address.UserInfo.Length == 0;

    private static Task Refuse(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    /// <summary>The host's own would take Ctrl-C and SIGTERM from the run.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

/// <param name="Plane">Who asks.</param>
/// <param name="Failed">Those that it could not fetch from.</param>
internal sealed record SourcesQuery(Uri Plane, ImmutableArray<Uri>? Failed);

internal sealed record SourcesAnswer(ImmutableArray<Uri> Sources);
