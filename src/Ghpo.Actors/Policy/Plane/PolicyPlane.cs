using System.Net;
using Ghpo.Configuration;
using Ghpo.Rollout;
using Ghpo.Security;
using Microsoft.Extensions.Logging;

namespace Ghpo.Policy.Plane;

/// <summary>What a plane is made from.</summary>
/// <param name="Folder">For weights on disk; of this process alone.</param>
/// <param name="Kept">Versions kept.</param>
/// <param name="Bind">Address to listen on. Whoever starts the plane has asked <see cref="ListenRule"/> about it.</param>
/// <param name="Host">Name or address that others reach this process by.</param>
/// <param name="Tls">Null: plain HTTP. Stays the caller's.</param>
public sealed record PolicyPlaneOptions(
    string Folder, int Kept, IPAddress Bind, string Host, PolicyPlaneSettings Settings, ClusterCertificates? Tls, ILoggerFactory Log);

/// <summary>Archive, server and fetches of one process.</summary>
public sealed class PolicyPlane : IPolicyPlane
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Transfer> _transfers = [];
    private readonly PolicyPlaneOptions _options;
    private readonly PolicyArchive _archive;
    private readonly PolicyServer _server;
    private readonly PlaneClient _client;
    private readonly UnreachedPlanes _unreached = new(TimeProvider.System);
    private readonly ILogger _log;

    private PolicyPlane(PolicyPlaneOptions options, PolicyArchive archive, PolicyServer server)
    {
        _options = options;
        _archive = archive;
        _server = server;
        _client = new PlaneClient(options.Tls);
        _log = options.Log.CreateLogger<PolicyPlane>();
    }

    public Uri Address => _server.Address;

    /// <summary>Bytes of chunks sent to others since the start.</summary>
    public long BytesSent => _server.BytesSent;

    /// <exception cref="UserErrorException">The folder or the port is taken.</exception>
    public static async Task<PolicyPlane> StartAsync(PolicyPlaneOptions options)
    {
        var archive = new PolicyArchive(options.Folder, options.Kept);
        try
        {
            return new PolicyPlane(
                options, archive, await PolicyServer.StartAsync(archive, options.Kept, options.Bind, options.Host, options.Settings, options.Tls, options.Log));
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    public void Publish(PolicySnapshot snapshot)
    {
        int chunkBytes = _options.Settings.ChunkBytes;
        if (snapshot.Parts is not { } parts)
        {
            _archive.Write(snapshot.Hash, snapshot.Weights, chunkBytes);
            _server.Announce(snapshot.Hash);
            return;
        }

        // The model is written with the first version; from then on only adapters are.
        var recipe = new PolicyRecipe(snapshot.Hash, parts.Base.Hash, PolicyHash.Of(parts.Adapter), parts.Scale);
        _archive.Pin(recipe.Base);
        _archive.Write(recipe.Base, parts.Base.Weights, chunkBytes);
        _archive.Write(recipe.Adapter, parts.Adapter, chunkBytes);
        _server.Announce(recipe);
    }

    public async Task<PolicySnapshot> FetchAsync(long epoch, PolicyVersion version, string hash, Uri learner, CancellationToken stop)
    {
        PolicyRecipe? parts = _archive.Find(hash) is { IsWhole: true } ? null : await Asking(hash, learner, () => _client.PartsAsync(learner, hash, stop), stop);
        if (parts is null)
        {
            await TransferAsync(hash, learner, stop);
        }
        else
        {
            _archive.Pin(parts.Base);
            await TransferAsync(parts.Base, learner, stop);
            await TransferAsync(parts.Adapter, learner, stop);
        }

        try
        {
            return await Task.Run(() => parts is null ? _archive.Load(epoch, version, hash) : _archive.Merge(epoch, version, parts), stop);
        }
        catch (InvalidDataException failure)
        {
            throw new PolicyFetchException(failure.Message, failure);
        }
    }

    /// <summary>As <see cref="FetchAsync"/>, without reading the tensors: the file is whole and each chunk is verified.</summary>
    public async Task TransferAsync(string hash, Uri learner, CancellationToken stop)
    {
        if (_archive.Find(hash) is { IsWhole: true })
        {
            return;
        }

        Transfer transfer;
        lock (_lock)
        {
            if (!_transfers.TryGetValue(hash, out transfer!))
            {
                transfer = new Transfer();
                _transfers.Add(hash, transfer);
                transfer.Task = Task.Run(() => RunAsync(hash, learner, transfer.Stop.Token), CancellationToken.None);
            }

            transfer.Callers++;
        }

        try
        {
            await transfer.Task.WaitAsync(stop);
        }
        finally
        {
            await LeaveAsync(hash, transfer);
        }
    }

    public void Forget(Uri plane) => _server.Forget(plane);

    public async ValueTask DisposeAsync()
    {
        Transfer[] running;
        lock (_lock)
        {
            running = [.. _transfers.Values];
        }

        foreach (Transfer transfer in running)
        {
            await transfer.Stop.CancelAsync();
            await ((Task)transfer.Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _server.DisposeAsync();
        _archive.Dispose();
        _client.Dispose();
    }

    private async Task RunAsync(string hash, Uri learner, CancellationToken stop)
    {
        PolicyManifest manifest = await Asking(hash, learner, () => _client.ManifestAsync(learner, hash, stop), stop);
        ArchivedPolicy policy = _archive.Begin(manifest);
        try
        {
            using var fetcher = new PolicyFetcher(policy, _client, Address, learner, _unreached, _options.Settings.Connections, TimeProvider.System, _log);
            await fetcher.RunAsync(stop);
            _archive.Complete(policy);
        }
        catch (ObjectDisposedException)
        {
            throw new PolicyGoneException($"Policy {hash} was displaced by newer ones while it was fetched.");
        }

        try
        {
            await _client.NoteWholeAsync(learner, hash, Address, stop);
        }
        catch (Exception failure) when (failure is HttpRequestException || (failure is OperationCanceledException && !stop.IsCancellationRequested))
        {
            // The policy is here all the same; others are only sent elsewhere.
            _log.LogInformation("The learner's plane at {Learner} did not hear that policy {Hash} is whole here: {Reason}", learner, hash, failure.Message);
        }
    }

    private static async Task<T> Asking<T>(string hash, Uri learner, Func<Task<T>> ask, CancellationToken stop)
    {
        try
        {
            return await ask();
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or FormatException || (failure is OperationCanceledException && !stop.IsCancellationRequested))
        {
            throw new PolicyFetchException($"Policy {hash} could not be fetched: the learner's plane at {learner} gave no manifest: {failure.Message}", failure);
        }
    }

    /// <summary>A transfer that nobody waits for any more ends; what it verified stays.</summary>
    private async Task LeaveAsync(string hash, Transfer transfer)
    {
        lock (_lock)
        {
            if (--transfer.Callers > 0)
            {
                return;
            }

            _transfers.Remove(hash);
        }

        await transfer.Stop.CancelAsync();
        await transfer.Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        transfer.Stop.Dispose();
    }

    private sealed class Transfer
    {
        public CancellationTokenSource Stop { get; } = new();

        public Task Task { get; set; } = Task.CompletedTask;

        public int Callers { get; set; }
    }
}
