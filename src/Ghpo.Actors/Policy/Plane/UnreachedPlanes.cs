using System.Collections.Concurrent;

namespace Ghpo.Policy.Plane;

/// <summary>
/// Planes that this one could not connect to lately, whatever policy it wanted of them: between two workers a link may be cut for good, and to find that out anew for every policy takes
/// seconds each time. The clock is handed in. Thread-safe.
/// </summary>
internal sealed class UnreachedPlanes(TimeProvider time)
{
    /// <summary>After so long one is tried again.</summary>
    internal static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<Uri, long> _since = new();

    public IReadOnlyCollection<Uri> Current
    {
        get
        {
            foreach ((Uri plane, long since) in _since)
            {
                if (time.GetElapsedTime(since) >= Memory)
                {
                    _since.TryRemove(KeyValuePair.Create(plane, since));
                }
            }

            return [.. _since.Keys];
        }
    }

    public void Note(Uri plane) => _since[plane] = time.GetTimestamp();
}
