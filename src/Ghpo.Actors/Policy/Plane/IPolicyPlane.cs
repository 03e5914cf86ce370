using Ghpo.Rollout;

namespace Ghpo.Policy.Plane;

/// <summary>
/// How weights get from the learner's process to those of the workers: by HTTP between the processes' own planes, never through Akka.Remote. Akka carries
/// only <c>PolicyPublished(epoch, version, hash)</c> and the address of the learner's plane. One plane a process. Thread-safe.
/// <code>
/// learner   Publish(snapshot) ─▶ archived, served ─▶ only now tell PolicyPublished
/// worker    PolicyPublished ─▶ FetchAsync(epoch, version, hash, learner's address) ─▶ a snapshot whose hash was proved ─▶ PolicyStore.Publish
/// </code>
/// <list type="bullet">
/// <item>The learner calls <see cref="Publish"/> before it hands the snapshot to its own store, and before anyone is told of the version: a worker that asks at once
/// finds it. The call blocks for as long as the weights take to be written and hashed, and reads the snapshot without keeping it.</item>
/// <item>A worker asks the learner's plane for the manifest and for whom to fetch from; that may be other workers, which serve what they have verified while they
/// still fetch. Each chunk is verified, and at the end the hash of the tensors is. Calls for the same hash at the same time share one transfer.</item>
/// <item>The learner's process calls <see cref="Forget"/> when a member is removed from the cluster, so that nobody is sent there. Nothing breaks without it:
/// a fetch leaves a source that does not answer.</item>
/// <item>A plane keeps two versions; one that a worker asks for later is gone (<see cref="PolicyGoneException"/>), and it waits for the next.</item>
/// </list>
/// </summary>
public interface IPolicyPlane : IAsyncDisposable
{
    /// <summary>Where others reach this plane; goes into the session's first message. A worker passes the learner's on to <see cref="FetchAsync"/>.</summary>
    Uri Address { get; }

    /// <summary>Writes the weights to disk and serves them under their hash. The snapshot stays the caller's.</summary>
    /// <exception cref="IOException">They cannot be written: no space, no right.</exception>
    void Publish(PolicySnapshot snapshot);

    /// <summary>The weights with this hash, fetched if they are not here. The caller owns the snapshot.</summary>
    /// <param name="learner">Address of the learner's plane.</param>
    /// <exception cref="PolicyGoneException">The learner does not hold them any more.</exception>
    /// <exception cref="PolicyFetchException">They could not be had; says what happened with each source. What came stays, and the next call goes on from there.</exception>
    /// <exception cref="IOException">They cannot be written to this machine's disk.</exception>
    Task<PolicySnapshot> FetchAsync(long epoch, PolicyVersion version, string hash, Uri learner, CancellationToken stop);

    /// <summary>The learner's side: sends nobody to this plane any more until it asks again.</summary>
    void Forget(Uri plane);
}

/// <summary>A policy could not be fetched from any source.</summary>
public sealed class PolicyFetchException(string message, Exception? cause = null) : Exception(message, cause);
