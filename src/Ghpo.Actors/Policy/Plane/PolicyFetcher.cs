using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Ghpo.Policy.Plane;

/// <summary>
/// Gets one policy's missing chunks, some at a time, from the sources that the learner's plane names, and asks it for others when these fail.
/// <para>Ends when every chunk is in the archive, or with a <see cref="PolicyFetchException"/> that says what happened with each source: when all of them lied, when
/// the learner's plane cannot be asked, or when for a minute no chunk was verified. What was verified until then stays, and a later fetch goes on from there.</para>
/// </summary>
/// <param name="unreached">Planes that earlier fetches could not connect to; they are not wanted for sources.</param>
internal sealed partial class PolicyFetcher(
    ArchivedPolicy policy, PlaneClient client, Uri self, Uri learner, UnreachedPlanes unreached, int connections, TimeProvider time, ILogger log) : IDisposable
{
    private static readonly TimeSpan _longestStandstill = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _asking = new(1);
    private readonly FetchSources _sources = new(time);
    private readonly ConcurrentQueue<int> _wanted = new(Enumerable.Range(0, policy.Manifest.Chunks.Length).Where(chunk => !policy.Has(chunk)));
    private long _lastVerified = time.GetTimestamp();

    public async Task RunAsync(CancellationToken stop)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] lanes = [.. Enumerable.Range(0, Math.Min(connections, _wanted.Count)).Select(_ => FetchWantedAsync(ended))];
        await Task.WhenAll(lanes);
    }

    public void Dispose() => _asking.Dispose();

    private async Task FetchWantedAsync(CancellationTokenSource ended)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(policy.Manifest.ChunkBytes);
        try
        {
            while (_wanted.TryDequeue(out int chunk))
            {
                await FetchAsync(chunk, buffer.AsMemory(0, policy.Manifest.LengthOf(chunk)), ended.Token);
            }
        }
        catch
        {
            // One lane that cannot go on ends them all; the error that counts is its own, the first.
            await ended.CancelAsync();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task FetchAsync(int chunk, Memory<byte> buffer, CancellationToken stop)
    {
        while (true)
        {
            Uri source = await SourceAsync(stop);
            (FetchOutcome outcome, string what) = (FetchOutcome.Broken, "was left");
            try
            {
                (outcome, what) = await client.ChunkAsync(source, policy.Manifest, chunk, buffer, stop);
            }
            finally
            {
                lock (_lock)
                {
                    _sources.Report(source, outcome, what);
                }
            }

            if (outcome == FetchOutcome.Verified)
            {
                policy.Store(chunk, buffer.Span);
                Volatile.Write(ref _lastVerified, time.GetTimestamp());
                return;
            }

            if (outcome == FetchOutcome.Unreached && source != learner)
            {
                unreached.Note(source);
            }

            if (outcome == FetchOutcome.Lied)
            {
                SourceLied(log, source, policy.Manifest.Hash, what);
            }
        }
    }

    private async Task<Uri> SourceAsync(CancellationToken stop)
    {
        while (true)
        {
            if (time.GetElapsedTime(Volatile.Read(ref _lastVerified)) > _longestStandstill)
            {
                throw Failed($"no chunk came for {_longestStandstill.TotalSeconds} s");
            }

            (Uri? plane, TimeSpan rest) = (null, TimeSpan.Zero);
            bool usable;
            lock (_lock)
            {
                usable = _sources.AnyUsable;
                if (usable)
                {
                    (plane, rest) = _sources.Take();
                }
            }

            if (plane is not null)
            {
                return plane;
            }

            if (usable)
            {
                await Task.Delay(rest, time, stop);
            }
            else
            {
                await AskAsync(stop);
            }
        }
    }

    /// <summary>Asks the learner's plane for sources, unless another lane has done so meanwhile.</summary>
    private async Task AskAsync(CancellationToken stop)
    {
        await _asking.WaitAsync(stop);
        try
        {
            IReadOnlyCollection<Uri> failed;
            lock (_lock)
            {
                if (_sources.AnyUsable)
                {
                    return;
                }

                failed = _sources.Failed;
            }

            var query = new SourcesQuery(self, [.. failed.Union(unreached.Current)]);

            IReadOnlyList<Uri> planes = await client.SourcesAsync(learner, policy.Manifest.Hash, query, stop);
            lock (_lock)
            {
                if (planes.Count == 0 || !_sources.Offer(planes))
                {
                    throw Failed(planes.Count == 0 ? $"{learner} does not publish it any more" : "every source there is has sent wrong bytes");
                }
            }

            if (failed.Count > 0)
            {
                // A learner that is the only source, and fails, is asked again and again otherwise.
                await Task.Delay(TimeSpan.FromSeconds(0.5), time, stop);
            }
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !stop.IsCancellationRequested))
        {
            throw Failed($"the learner's plane at {learner} cannot be asked for sources: {failure.Message}", failure);
        }
        finally
        {
            _asking.Release();
        }
    }

    private PolicyFetchException Failed(string why, Exception? cause = null)
    {
        lock (_lock)
        {
            string sources = _sources.ToString();
            return new PolicyFetchException(
                $"Policy {policy.Manifest.Hash} could not be fetched: {why}. {policy.Held} of {policy.Manifest.Chunks.Length} chunks are here.{(sources.Length > 0 ? $" {sources}." : "")}", cause);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Source} is left for the rest of this fetch: of policy {Hash} it {What}")]
    private static partial void SourceLied(ILogger log, Uri source, string hash, string what);
}
