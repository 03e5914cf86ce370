using System.Buffers;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;

namespace Ghpo.Policy.Plane;

/// <summary>
/// One policy's file on this machine, whole or as far as it got. Thread-safe.
/// <code>
/// chunk: missing ──Store (bytes verified)──▶ here: can be read and passed on         all here ──▶ IsWhole, the file gets its final name
/// </code>
/// A chunk that was found on disk counts as missing until its bytes were hashed again.
/// </summary>
internal sealed class ArchivedPolicy : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SafeFileHandle _file;
    private readonly bool[] _here;
    private readonly Dictionary<int, TaskCompletionSource<bool>> _awaited = [];
    private int _missing;
    private bool _closed;

    internal ArchivedPolicy(PolicyManifest manifest, string path, bool allHere)
    {
        Manifest = manifest;
        Path = path;
        _here = new bool[manifest.Chunks.Length];
        Array.Fill(_here, allHere);
        _missing = allHere ? 0 : _here.Length;
        _file = File.OpenHandle(
            path, FileMode.OpenOrCreate, allHere ? FileAccess.Read : FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
    }

    public PolicyManifest Manifest { get; }

    /// <summary>Changes once, when the file is whole. Set by the archive.</summary>
    public string Path { get; internal set; }

    public bool IsWhole => Volatile.Read(ref _missing) == 0;

    /// <summary>Number of chunks that are here.</summary>
    public int Held => _here.Length - Volatile.Read(ref _missing);

    public bool Has(int chunk)
    {
        lock (_lock)
        {
            return _here[chunk] && !_closed;
        }
    }

    /// <summary>Completes with true when the chunk is here, with false when it will never be.</summary>
    public Task<bool> WhenHere(int chunk)
    {
        lock (_lock)
        {
            if (_here[chunk] || _closed)
            {
                return Task.FromResult(!_closed);
            }

            if (!_awaited.TryGetValue(chunk, out TaskCompletionSource<bool>? waiter))
            {
                waiter = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                _awaited.Add(chunk, waiter);
            }

            return waiter.Task;
        }
    }

    /// <summary>Puts a chunk in its place. The caller has compared its hash.</summary>
    public void Store(int chunk, ReadOnlySpan<byte> verified)
    {
        RandomAccess.Write(_file, verified, Manifest.OffsetOf(chunk));
        MarkHere(chunk);
    }

    /// <summary>Reads a part of a chunk that is here.</summary>
    /// <exception cref="ObjectDisposedException">The policy has left the archive meanwhile.</exception>
    public void Read(int chunk, int offset, Span<byte> buffer)
    {
        int length = RandomAccess.Read(_file, buffer, Manifest.OffsetOf(chunk) + offset);
        if (length != buffer.Length)
        {
            throw new IOException($"{Path} ends within chunk {chunk}; something outside has cut it.");
        }
    }

    /// <summary>Hashes what the file holds already, and counts in what is right.</summary>
    internal void TakeOver()
    {
        long length = RandomAccess.GetLength(_file);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Manifest.ChunkBytes);
        Span<byte> hash = stackalloc byte[PolicyManifest.ChunkHashBytes];
        try
        {
            for (int chunk = 0; chunk < Manifest.Chunks.Length && Manifest.OffsetOf(chunk) + Manifest.LengthOf(chunk) <= length; chunk++)
            {
                Span<byte> bytes = buffer.AsSpan(0, Manifest.LengthOf(chunk));
                Read(chunk, 0, bytes);
                XxHash128.Hash(bytes, hash);
                if (Manifest.Matches(chunk, hash))
                {
                    MarkHere(chunk);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        if (length > Manifest.Bytes)
        {
            RandomAccess.SetLength(_file, Manifest.Bytes);
        }
    }

    public void Dispose()
    {
        TaskCompletionSource<bool>[] abandoned;
        lock (_lock)
        {
            _closed = true;
            abandoned = [.. _awaited.Values];
            _awaited.Clear();
        }

        foreach (TaskCompletionSource<bool> waiter in abandoned)
        {
            waiter.SetResult(false);
        }

        _file.Dispose();
    }

    private void MarkHere(int chunk)
    {
        TaskCompletionSource<bool>? waiter;
        lock (_lock)
        {
            if (_here[chunk])
            {
                return;
            }

            _here[chunk] = true;
            _missing--;
            _awaited.Remove(chunk, out waiter);
        }

        waiter?.SetResult(true);
    }
}
