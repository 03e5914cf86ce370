using Ghpo.Rollout;

namespace Ghpo.Policy;

/// <summary>
/// The last versions of the weights in this process, shared by the learner that publishes and the workers that read. Thread-safe.
/// <code>
/// Publish(v) ─▶ kept ─▶ more than K newer ones ─▶ retired: no new reader ─▶ last reader leaves ─▶ disposed
/// </code>
/// A published snapshot belongs to the store. A version may be published again, by a learner that came back with a new epoch: the newer
/// publication replaces the older one.
/// </summary>
public sealed class PolicyStore : IDisposable
{
    private readonly Lock _lock = new();
    private readonly int _kept;
    private readonly List<Entry> _entries = [];
    private bool _disposed;

    /// <param name="kept">K: how many versions stay readable; staleness + 1 is enough.</param>
    public PolicyStore(int kept)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(kept);
        _kept = kept;
    }

    /// <summary>Versions that can be read, oldest publication first.</summary>
    public IReadOnlyList<PolicyVersion> Versions
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries.Select(entry => entry.Policy.Version)];
            }
        }
    }

    /// <summary>Takes a snapshot over and retires what is beyond the last K.</summary>
    public void Publish(PolicySnapshot policy)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            int same = _entries.FindIndex(entry => entry.Policy.Version == policy.Version);
            if (same >= 0)
            {
                Retire(same);
            }

            _entries.Add(new Entry(policy));
            while (_entries.Count > _kept)
            {
                Retire(0);
            }
        }
    }

    /// <summary>Calls <paramref name="read"/> on the caller's thread with a version, which stays alive until the call returns.</summary>
    /// <exception cref="PolicyGoneException">The version is not kept any more, or never was published.</exception>
    public void Read(PolicyVersion version, Action<PolicySnapshot> read)
    {
        Entry entry = Enter(version);
        try
        {
            read(entry.Policy);
        }
        finally
        {
            lock (_lock)
            {
                entry.Readers--;
                entry.DisposeIfUnused();
            }
        }
    }

    /// <summary>Retires every version; those being read are disposed when their reader leaves.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            while (_entries.Count > 0)
            {
                Retire(0);
            }
        }
    }

    private Entry Enter(PolicyVersion version)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Entry entry = _entries.Find(entry => entry.Policy.Version == version)
                ?? throw new PolicyGoneException(
                    $"Policy {version} is not kept here: kept are {(_entries.Count == 0 ? "none" : string.Join(", ", _entries.Select(entry => entry.Policy.Version)))} (the last {_kept}). Ask the learner for its current version.");
            entry.Readers++;
            return entry;
        }
    }

    private void Retire(int index)
    {
        Entry entry = _entries[index];
        _entries.RemoveAt(index);
        entry.Retired = true;
        entry.DisposeIfUnused();
    }

    /// <summary>A snapshot and who uses it. Guarded by the store's lock.</summary>
    private sealed class Entry(PolicySnapshot policy)
    {
        internal PolicySnapshot Policy { get; } = policy;

        internal int Readers { get; set; }

        internal bool Retired { get; set; }

        internal void DisposeIfUnused()
        {
            if (Retired && Readers == 0)
            {
                Policy.Dispose();
            }
        }
    }
}

/// <summary>A version of the weights is not, or not any more, to be had.</summary>
public sealed class PolicyGoneException(string message) : Exception(message);
