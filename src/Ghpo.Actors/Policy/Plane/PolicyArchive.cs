using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Rollout;
using static TorchSharp.torch;

namespace Ghpo.Policy.Plane;

/// <summary>
/// The policies that one process holds on disk, as <c>&lt;hash&gt;.safetensors</c>, or <c>&lt;hash&gt;.partial</c> while some of it is missing. Thread-safe.
/// <para>Lifecycle: a policy is written (learner) or begun from its manifest and filled chunk by chunk (worker); the newest K are kept, older ones are closed and
/// deleted. What an earlier process left behind is taken up when the same policy is begun again, after it was hashed again, and deleted otherwise.</para>
/// <para>It is a cache: nothing in it is believed unread, and so nothing is flushed to the disk. What must survive a power cut stands in checkpoints.</para>
/// </summary>
public sealed class PolicyArchive : IDisposable
{
    private const string Whole = ".safetensors";
    private const string Partial = ".partial";

    private readonly Lock _lock = new();
    private readonly string _folder;
    private readonly int _kept;
    private readonly FileStream _hold;
    private readonly List<ArchivedPolicy> _policies = [];
    private readonly HashSet<string> _leftBehind;
    private string? _pinned;

    /// <param name="folder">Of this process alone; made if it is not there.</param>
    /// <param name="kept">K.</param>
    /// <exception cref="UserErrorException">Another process uses the folder, or it cannot be written.</exception>
    public PolicyArchive(string folder, int kept)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(kept);
        _folder = Path.GetFullPath(folder);
        _kept = kept;
        try
        {
            Directory.CreateDirectory(_folder);
            _hold = new FileStream(HoldOf(_folder), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            _leftBehind = [.. Directory.EnumerateFiles(_folder).Where(path => Path.GetExtension(path) is Whole or Partial)];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"The policy folder {_folder} is used by another process or cannot be written ({failure.Message}); give each process a folder of its own.");
        }
    }

    /// <summary>Another process uses this folder, just now.</summary>
    public static bool IsInUse(string folder)
    {
        string hold = HoldOf(folder);
        if (!File.Exists(hold))
        {
            return false;
        }

        try
        {
            using var free = new FileStream(hold, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Hashes of what is held whole, oldest first.</summary>
    public IReadOnlyList<string> Hashes
    {
        get
        {
            lock (_lock)
            {
                return [.. _policies.Where(policy => policy.IsWhole).Select(policy => policy.Manifest.Hash)];
            }
        }
    }

    /// <summary>Keeps this policy beside the newest K, until another one is pinned.</summary>
    public void Pin(string hash)
    {
        RequireHash(hash);
        lock (_lock)
        {
            _pinned = hash;
        }
    }

    /// <summary>Writes weights straight from their tensors, hashing on the way, and holds them whole.</summary>
    /// <param name="hash">Their <see cref="PolicyHash"/>.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public PolicyManifest Write(string hash, IReadOnlyDictionary<string, Tensor> weights, int chunkBytes)
    {
        RequireHash(hash);
        if (Touch(hash) is { IsWhole: true } same)
        {
            return same.Manifest;
        }

        string partial = PathOf(hash, Partial);
        PolicyManifest manifest;
        try
        {
            using FileStream file = new(partial, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            using var chunks = new ChunkingStream(file, chunkBytes);
            SafetensorsWriter.Write(chunks, weights);
            manifest = chunks.Manifest(hash);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }

        File.Move(partial, PathOf(hash, Whole), overwrite: true);
        Add(new ArchivedPolicy(manifest, PathOf(hash, Whole), allHere: true));
        return manifest;
    }

    /// <summary>Proves and copies out a policy that is held whole.</summary>
    /// <exception cref="InvalidDataException">The tensors in the file have another hash; the file is deleted.</exception>
    public PolicySnapshot Load(long epoch, PolicyVersion version, string hash)
    {
        ArchivedPolicy policy = HeldWhole(hash, version);
        return Prove(epoch, version, hash, [policy], weights => ReadInto(policy, weights));
    }

    /// <summary>Merges a policy of its parts, both held whole, and proves it.</summary>
    /// <exception cref="InvalidDataException">The merged tensors have another hash; the files of the parts are deleted.</exception>
    public PolicySnapshot Merge(long epoch, PolicyVersion version, PolicyRecipe recipe)
    {
        (ArchivedPolicy model, ArchivedPolicy adapter) = (HeldWhole(recipe.Base, version), HeldWhole(recipe.Adapter, version));
        return Prove(epoch, version, recipe.Hash, [model, adapter], weights =>
        {
            var added = new Dictionary<string, Tensor>(StringComparer.Ordinal);
            try
            {
                ReadInto(adapter, added);
                using SafetensorsFile file = SafetensorsFile.Open(model.Path);
                foreach (string name in file.Entries.Keys)
                {
                    using Tensor weight = file.Read(name);
                    weights.Add(name, LoraMerge.Merged(name, weight, added, recipe.Scale));
                }
            }
            finally
            {
                DisposeAll(added);
            }
        });
    }

    private ArchivedPolicy HeldWhole(string hash, PolicyVersion version) =>
        Find(hash) is { IsWhole: true } found ? found : throw new PolicyGoneException($"Policy {version} ({hash}) is not, or not any more, in {_folder}.");

    private static void ReadInto(ArchivedPolicy policy, Dictionary<string, Tensor> weights)
    {
        using SafetensorsFile file = SafetensorsFile.Open(policy.Path);
        foreach (string name in file.Entries.Keys)
        {
            weights.Add(name, file.Read(name));
        }
    }

    private static void DisposeAll(Dictionary<string, Tensor> weights)
    {
        foreach (Tensor weight in weights.Values)
        {
            weight.Dispose();
        }
    }

    /// <param name="files">What the tensors are read from; dropped where they are not what was published.</param>
    private PolicySnapshot Prove(long epoch, PolicyVersion version, string hash, ArchivedPolicy[] files, Action<Dictionary<string, Tensor>> read)
    {
        var weights = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            read(weights);
            string actual = PolicyHash.Of(weights);
            return actual == hash
                ? new PolicySnapshot(epoch, version, actual, weights)
                : throw new InvalidDataException($"{string.Join(" with ", files.Select(file => file.Path))} holds tensors of hash {actual}, not those of policy {version}.");
        }
        catch (Exception failure)
        {
            DisposeAll(weights);
            if (failure is InvalidDataException or UserErrorException)
            {
                Array.ForEach(files, Drop);
                throw new InvalidDataException($"Policy {version} came as its manifest says, but is not what was published: {failure.Message}", failure);
            }

            throw;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (ArchivedPolicy policy in _policies)
            {
                policy.Dispose();
            }

            _policies.Clear();
        }

        _hold.Dispose();
    }

    internal ArchivedPolicy? Find(string hash)
    {
        lock (_lock)
        {
            return _policies.Find(policy => policy.Manifest.Hash == hash);
        }
    }

    /// <summary>The policy of this manifest: as it is held, else with what an earlier process left of it, else with nothing.</summary>
    internal ArchivedPolicy Begin(PolicyManifest manifest)
    {
        RequireHash(manifest.Hash);
        if (Touch(manifest.Hash) is { } held)
        {
            if (held.Manifest.Encode().AsSpan().SequenceEqual(manifest.Encode()))
            {
                return held;
            }

            // A learner with another chunk size has taken over.
            Drop(held);
        }

        string partial = PathOf(manifest.Hash, Partial);
        if (File.Exists(PathOf(manifest.Hash, Whole)))
        {
            File.Move(PathOf(manifest.Hash, Whole), partial, overwrite: true);
        }

        var policy = new ArchivedPolicy(manifest, partial, allHere: false);
        try
        {
            policy.TakeOver();
        }
        catch
        {
            policy.Dispose();
            throw;
        }

        Add(policy);
        return policy;
    }

    /// <summary>Gives a policy that has become whole its final name.</summary>
    internal void Complete(ArchivedPolicy policy)
    {
        lock (_lock)
        {
            string whole = PathOf(policy.Manifest.Hash, Whole);
            if (policy.Path != whole && _policies.Contains(policy))
            {
                File.Move(policy.Path, whole, overwrite: true);
                policy.Path = whole;
            }
        }
    }

    /// <summary>Makes a held policy the newest.</summary>
    private ArchivedPolicy? Touch(string hash)
    {
        lock (_lock)
        {
            if (Find(hash) is not { } policy)
            {
                return null;
            }

            _policies.Remove(policy);
            _policies.Add(policy);
            return policy;
        }
    }

    private void Add(ArchivedPolicy policy)
    {
        lock (_lock)
        {
            _policies.Add(policy);
            while (_policies.Count(one => one.Manifest.Hash != _pinned) > _kept)
            {
                Drop(_policies.Find(one => one.Manifest.Hash != _pinned)!);
            }

            foreach (string left in _leftBehind.Except(_policies.Select(one => one.Path)))
            {
                File.Delete(left);
            }

            _leftBehind.Clear();
        }
    }

    private void Drop(ArchivedPolicy policy)
    {
        lock (_lock)
        {
            _policies.Remove(policy);
            policy.Dispose();
            File.Delete(policy.Path);
        }
    }

    private static string HoldOf(string folder) => Path.Combine(folder, "in-use");

    private string PathOf(string hash, string extension) => Path.Combine(_folder, hash + extension);

    /// <summary>Hashes come from manifests and messages, and become file names.</summary>
    private static void RequireHash(string hash)
    {
        if (!IsHash(hash))
        {
            throw new ArgumentException($"'{hash}' is no SHA-256 in lower-case hex.", nameof(hash));
        }
    }

    internal static bool IsHash(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);
}
