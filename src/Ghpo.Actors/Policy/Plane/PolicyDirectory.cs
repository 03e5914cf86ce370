using System.Collections.Immutable;

namespace Ghpo.Policy.Plane;

/// <summary>
/// Decides on the learner from whom each plane fetches a policy, so that no link carries more than two copies at a time: every policy has its own
/// <see cref="SourceTree"/>. No clock, no I/O; the same calls give the same answers. Not thread-safe.
/// </summary>
/// <param name="learner">Holds every policy that is published.</param>
/// <param name="kept">Policies that can be asked for: the newest so many.</param>
public sealed class PolicyDirectory(Uri learner, int kept)
{
    private readonly List<(string Hash, SourceTree Tree)> _policies = [];
    private string? _pinned;

    /// <summary>A policy is to be had from here on. One that is published again stays as it is, as the newest.</summary>
    /// <param name="pinned">It can be asked for beside the newest so many, until another one is pinned.</param>
    public void Publish(string hash, bool pinned = false)
    {
        _pinned = pinned ? hash : _pinned;
        int same = _policies.FindIndex(policy => policy.Hash == hash);
        SourceTree tree = same >= 0 ? _policies[same].Tree : new SourceTree(learner);
        _policies.RemoveAll(policy => policy.Hash == hash);
        _policies.Add((hash, tree));
        while (_policies.Count(policy => policy.Hash != _pinned) > kept)
        {
            _policies.Remove(_policies.Find(policy => policy.Hash != _pinned));
        }
    }

    /// <summary>Whom a plane is to fetch from, one or two; empty: there is no such policy.</summary>
    /// <param name="failed">Those that it cannot fetch from.</param>
    public ImmutableArray<Uri> Ask(string hash, Uri plane, IReadOnlyCollection<Uri> failed) => TreeOf(hash)?.Ask(plane, failed) ?? [];

    /// <summary>A plane has all of a policy now.</summary>
    public void NoteWhole(string hash, Uri plane) => TreeOf(hash)?.NoteWhole(plane);

    /// <summary>A plane is gone from the cluster.</summary>
    public void Forget(Uri plane)
    {
        foreach ((_, SourceTree tree) in _policies)
        {
            tree.Forget(plane);
        }
    }

    /// <summary>Planes that hold all of a policy, the learner's included.</summary>
    public int Whole(string hash) => TreeOf(hash)?.Whole ?? 0;

    private SourceTree? TreeOf(string hash) => _policies.Find(policy => policy.Hash == hash).Tree;
}
