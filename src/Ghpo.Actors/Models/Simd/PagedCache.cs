namespace Ghpo.Models.Simd;

/// <summary>
/// Keys and values of past positions in blocks of 16 positions. A sequence holds a list of blocks; a block belongs to every sequence that begins with
/// its positions, and is copied when one of them is about to write to it. So the answers of a group share their prompt, nobody's memory depends on
/// the longest sequence, and a block is free again when the last of its sequences has left.
/// <code>
/// block   [layers, Hkv] of ( keys [D, 16], then values [16, Dp] )      Dp: D filled up to 16
/// </code>
/// Memory is taken from the system when a block is first used, for as many blocks as fill a large page.
/// </summary>
internal sealed unsafe class PagedCache : IDisposable
{
    /// <summary>Positions of a block: one vector register of scores.</summary>
    internal const int Positions = 16;

    private readonly List<NativeBuffer> _memory = [];
    private readonly List<nint> _blocks = [];
    private readonly List<int> _holders = [];
    private readonly Stack<int> _free = new();
    private readonly int _most;

    /// <param name="bytes">What all blocks together may take.</param>
    internal PagedCache(ModelConfig config, bool narrow, long bytes)
    {
        int size = narrow ? PackedBrain.Size : PackedSingle.Size;
        ValueStride = Padded(config.HeadSize);
        KeyBytes = (long)config.HeadSize * Positions * size;
        HeadBytes = KeyBytes + (long)ValueStride * Positions * size;
        BlockBytes = config.Layers * config.KeyValueHeads * HeadBytes;
        _most = (int)Math.Min(bytes / BlockBytes, int.MaxValue);
    }

    /// <summary>Bytes that <paramref name="positions"/> positions of one sequence take.</summary>
    internal static long BytesOf(ModelConfig config, bool narrow, int positions)
    {
        using var sized = new PagedCache(config, narrow, 0);
        return BlocksOf(positions) * sized.BlockBytes;
    }

    /// <summary>Dp: numbers from one position's value to the next.</summary>
    internal int ValueStride { get; }

    /// <summary>Bytes of one head's keys in a block; its values follow.</summary>
    internal long KeyBytes { get; }

    /// <summary>Bytes of one head of one layer in a block.</summary>
    internal long HeadBytes { get; }

    internal long BlockBytes { get; }

    /// <summary>Blocks that nobody holds.</summary>
    internal int FreeBlocks => _most - _blocks.Count + _free.Count;

    internal static int BlocksOf(int positions) => (positions + Positions - 1) / Positions;

    internal static int Padded(int numbers) => (numbers + 15) / 16 * 16;

    internal byte* Block(int block) => (byte*)_blocks[block];

    /// <summary>Makes a position of a sequence writable: appends a block, or replaces one that others hold too by a copy.</summary>
    /// <returns>False: there is no free block, and nothing has changed.</returns>
    internal bool TryReserve(List<int> sequence, int position)
    {
        int index = position / Positions;
        if (index < sequence.Count && _holders[sequence[index]] == 1)
        {
            return true;
        }

        if (FreeBlocks == 0)
        {
            return false;
        }

        int block = Take();
        if (index == sequence.Count)
        {
            sequence.Add(block);
            return true;
        }

        int shared = sequence[index];
        Buffer.MemoryCopy(Block(shared), Block(block), BlockBytes, BlockBytes);
        _holders[shared]--;
        sequence[index] = block;
        return true;
    }

    /// <summary>Makes a sequence hold what another holds.</summary>
    internal void Share(List<int> from, List<int> to)
    {
        to.AddRange(from);
        from.ForEach(block => _holders[block]++);
    }

    internal void Release(List<int> sequence)
    {
        foreach (int block in sequence)
        {
            if (--_holders[block] == 0)
            {
                _free.Push(block);
            }
        }

        sequence.Clear();
    }

    public void Dispose() => _memory.ForEach(memory => memory.Dispose());

    private int Take()
    {
        if (!_free.TryPop(out int block))
        {
            Grow();
            block = _free.Pop();
        }

        _holders[block] = 1;
        return block;
    }

    private void Grow()
    {
        int first = _blocks.Count;
        int count = (int)Math.Min(_most - first, (NativeBuffer.LargePage + BlockBytes - 1) / BlockBytes);
        var memory = new NativeBuffer(count * BlockBytes);
        _memory.Add(memory);
        for (int block = 0; block < count; block++)
        {
            _blocks.Add((nint)(memory.Start + block * BlockBytes));
            _holders.Add(0);
            _free.Push(first + count - 1 - block);
        }
    }
}
