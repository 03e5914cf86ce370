using System.IO.Hashing;
using System.Net;
using System.Net.Http.Json;
using Ghpo.Security;

namespace Ghpo.Policy.Plane;

/// <summary>What a plane asks of other planes, one request a call. Thread-safe.</summary>
internal sealed class PlaneClient : IDisposable
{
    /// <summary>Longer than a server waits for a chunk that is on its way.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http;

    /// <param name="tls">Null: plain HTTP.</param>
    public PlaneClient(ClusterCertificates? tls)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = ConnectPatience,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        };
        if (tls is not null)
        {
            handler.SslOptions = tls.ForClients();
        }

        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>What a policy is made of; null: it is in one piece, or the plane does not publish it.</summary>
    /// <exception cref="HttpRequestException">It does not answer as a plane does.</exception>
    public async Task<PolicyRecipe?> PartsAsync(Uri plane, string hash, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(_patience);
        using HttpResponseMessage answer = await _http.GetAsync(new Uri(plane, $"/policy/{hash}/parts"), HttpCompletionOption.ResponseHeadersRead, patience.Token);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        answer.EnsureSuccessStatusCode();
        byte[] bytes = new byte[PolicyRecipe.EncodedBytes];
        await using Stream body = await answer.Content.ReadAsStreamAsync(patience.Token);
        await body.ReadExactlyAsync(bytes, patience.Token);
        return PolicyRecipe.Decode(hash, bytes);
    }

    /// <exception cref="PolicyGoneException">The plane does not hold it.</exception>
    /// <exception cref="HttpRequestException">It does not answer as a plane does.</exception>
    public async Task<PolicyManifest> ManifestAsync(Uri plane, string hash, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(_patience);
        using HttpResponseMessage answer = await _http.GetAsync(new Uri(plane, $"/policy/{hash}/manifest"), HttpCompletionOption.ResponseHeadersRead, patience.Token);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            throw new PolicyGoneException($"{plane} does not hold policy {hash}; newer ones have displaced it.");
        }

        answer.EnsureSuccessStatusCode();
        long length = answer.Content.Headers.ContentLength is { } given and <= PolicyManifest.LongestEncoding
            ? given
            : throw new HttpRequestException($"{plane} sent a manifest of {answer.Content.Headers.ContentLength} bytes.");
        byte[] bytes = new byte[length];
        await using Stream body = await answer.Content.ReadAsStreamAsync(patience.Token);
        await body.ReadExactlyAsync(bytes, patience.Token);
        return PolicyManifest.Decode(hash, bytes);
    }

    /// <summary>Whom to fetch from; empty: the plane publishes no such policy.</summary>
    /// <exception cref="HttpRequestException">It does not answer as a plane does.</exception>
    public async Task<IReadOnlyList<Uri>> SourcesAsync(Uri plane, string hash, SourcesQuery query, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(_patience);
        using HttpResponseMessage answer = await _http.PostAsJsonAsync(new Uri(plane, $"/policy/{hash}/sources"), query, patience.Token);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return [];
        }

        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<SourcesAnswer>(patience.Token))?.Sources ?? [];
    }

    /// <summary>Tells the plane that this one can be sent others.</summary>
    /// <exception cref="HttpRequestException">It does not answer as a plane does.</exception>
    public async Task NoteWholeAsync(Uri plane, string hash, Uri self, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(_patience);
        using HttpResponseMessage answer = await _http.PostAsJsonAsync(new Uri(plane, $"/policy/{hash}/whole"), new SourcesQuery(self, []), patience.Token);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Reads a chunk into the buffer, hashing it on the way. What went wrong comes as an outcome, cancellation as itself.</summary>
    public async Task<(FetchOutcome Outcome, string What)> ChunkAsync(Uri plane, PolicyManifest manifest, int chunk, Memory<byte> buffer, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(_patience);
        try
        {
            using HttpResponseMessage answer = await _http.GetAsync(
                new Uri(plane, $"/policy/{manifest.Hash}/chunks/{chunk}"), HttpCompletionOption.ResponseHeadersRead, patience.Token);
            switch (answer.StatusCode)
            {
                case HttpStatusCode.OK:
                    break;
                case HttpStatusCode.NotFound:
                    return (FetchOutcome.Gone, "does not hold it");
                case HttpStatusCode.ServiceUnavailable:
                    return (FetchOutcome.Busy, $"had no time, or not chunk {chunk} yet");
                default:
                    return (FetchOutcome.Broken, $"answered {(int)answer.StatusCode} for chunk {chunk}");
            }

            if (answer.Content.Headers.ContentLength != buffer.Length)
            {
                return (FetchOutcome.Lied, $"sent {answer.Content.Headers.ContentLength} bytes for chunk {chunk}, which has {buffer.Length}");
            }

            await using Stream body = await answer.Content.ReadAsStreamAsync(patience.Token);
            var hash = new XxHash128();
            int read = 0;
            while (read < buffer.Length)
            {
                int piece = await body.ReadAsync(buffer[read..], patience.Token);
                if (piece == 0)
                {
                    return (FetchOutcome.Broken, $"broke off within chunk {chunk}");
                }

                hash.Append(buffer.Span.Slice(read, piece));
                read += piece;

                // Only silence is a fault; a slow link is none.
                patience.CancelAfter(_patience);
            }

            return manifest.Matches(chunk, hash.GetHashAndReset())
                ? (FetchOutcome.Verified, "")
                : (FetchOutcome.Lied, $"sent other bytes for chunk {chunk} than were published");
        }
        catch (OperationCanceledException failure) when (failure.InnerException is TimeoutException && !stop.IsCancellationRequested)
        {
            return (FetchOutcome.Unreached, $"could not be connected to in {ConnectPatience.TotalSeconds} s");
        }
        catch (HttpRequestException failure) when (failure.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
        {
            return (FetchOutcome.Unreached, $"could not be connected to: {failure.InnerException?.Message ?? failure.Message}");
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return (FetchOutcome.Silent, $"was silent for {_patience.TotalSeconds} s at chunk {chunk}");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            return (FetchOutcome.Broken, $"chunk {chunk}: {failure.InnerException?.Message ?? failure.Message}");
        }
    }

    public void Dispose() => _http.Dispose();
}
