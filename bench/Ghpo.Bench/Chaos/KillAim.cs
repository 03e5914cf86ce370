namespace Ghpo.Bench.Chaos;

/// <summary>
/// When a session is to be killed. The program knows nothing of it: every aim is taken from outside, at what a session writes, so that a kill lands
/// some tens of microseconds after the call that it is aimed at, in the midst of what follows that call.
/// </summary>
internal abstract record KillAim
{
    /// <summary>After a while, wherever the session is then.</summary>
    internal sealed record Time(TimeSpan After) : KillAim
    {
        public override Task ReachedAsync(string folder, CancellationToken cancelled) => Task.Delay(After, cancelled);

        public override string ToString() => $"{After.TotalSeconds:0.00} s after its start";
    }

    /// <summary>At the n-th write to the journal's write-ahead log: within a transaction, or just after it.</summary>
    internal sealed record JournalWrite(int Count) : KillAim
    {
        public override Task ReachedAsync(string folder, CancellationToken cancelled) =>
            SeenAsync(folder, "journal.db-wal", subfolders: false, Count, WatcherChangeTypes.Changed, cancelled);

        public override string ToString() => $"at journal write {Count}";
    }

    /// <summary>
    /// A while after all groups of some step have settled in this session: within the optimizer step, or what follows it. The journal is asked every two
    /// milliseconds. Not the session's first step, so that a run that is always killed so goes on nevertheless.
    /// </summary>
    internal sealed record OptimizerStep(int Groups, TimeSpan After) : KillAim
    {
        public override async Task ReachedAsync(string folder, CancellationToken cancelled)
        {
            var journal = new JournalTables(Path.Combine(folder, "journal.db"));
            int before = journal.Committed();
            int settledStep;
            do
            {
                await journal.WrittenAsync(TimeSpan.FromMilliseconds(2), cancelled);
                settledStep = journal.Committed();
            }
            while (settledStep == before || journal.Settled(settledStep) < Groups);

            await Task.Delay(After, cancelled);
        }

        public override string ToString() => $"{After.TotalMilliseconds:0} ms after all groups of a step settled";
    }

    /// <summary>At the n-th write to a checkpoint's files.</summary>
    internal sealed record CheckpointWrite(int Count) : KillAim
    {
        public override Task ReachedAsync(string folder, CancellationToken cancelled) => SeenAsync(
            Path.Combine(folder, "checkpoints"), "*", subfolders: true, Count, WatcherChangeTypes.Created | WatcherChangeTypes.Changed, cancelled);

        public override string ToString() => $"at checkpoint write {Count}";
    }

    /// <summary>At the rename that makes a checkpoint count.</summary>
    internal sealed record CheckpointRename : KillAim
    {
        public override Task ReachedAsync(string folder, CancellationToken cancelled) =>
            SeenAsync(Path.Combine(folder, "checkpoints"), "*", subfolders: false, 1, WatcherChangeTypes.Renamed, cancelled);

        public override string ToString() => "at a checkpoint's rename";
    }

    /// <summary>At the deletion of an old checkpoint.</summary>
    internal sealed record CheckpointDeletion : KillAim
    {
        public override Task ReachedAsync(string folder, CancellationToken cancelled) =>
            SeenAsync(Path.Combine(folder, "checkpoints"), "*", subfolders: true, 1, WatcherChangeTypes.Deleted, cancelled);

        public override string ToString() => "at an old checkpoint's deletion";
    }

    /// <param name="folder">The run folder; it exists.</param>
    /// <returns>Completes at the instant of the kill.</returns>
    public abstract Task ReachedAsync(string folder, CancellationToken cancelled);

    private static async Task SeenAsync(
        string folder, string filter, bool subfolders, int count, WatcherChangeTypes kinds, CancellationToken cancelled)
    {
        Directory.CreateDirectory(folder);
        using var watcher = new FileSystemWatcher(folder, filter)
        {
            IncludeSubdirectories = subfolders,
            NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
        };
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int seen = 0;
        void Count(object sender, FileSystemEventArgs change)
        {
            if ((change.ChangeType & kinds) != 0 && Interlocked.Increment(ref seen) == count)
            {
                reached.TrySetResult();
            }
        }

        watcher.Created += Count;
        watcher.Changed += Count;
        watcher.Deleted += Count;
        watcher.Renamed += (sender, change) => Count(sender, change);
        watcher.EnableRaisingEvents = true;
        await reached.Task.WaitAsync(cancelled);
    }
}
