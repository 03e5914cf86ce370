using System.Data.Common;
using Ghpo.Configuration;
using Ghpo.Learning;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Journal;

/// <summary>
/// Takes the tokens of groups out of a journal that no kept checkpoint needs any more: a <see cref="GroupSettled"/> becomes a
/// <see cref="GroupPruned"/> in its place, so that every count and every verdict stays. The learner itself never reads these rows again: it recovers
/// from a snapshot that is newer. The database uses the space for what comes next.
/// <para>Not thread-safe. May be killed at any instant: rows change in transactions, and a further call goes on.</para>
/// </summary>
public sealed class RolloutRetention
{
    private const int PageRows = 64;

    private readonly JournalDatabase _database;
    private readonly JournalReader _journal;
    private readonly GhpoSettings _started;

    /// <summary>No row up to this one is left to be pruned.</summary>
    private long _pruned;

    /// <param name="sqliteFile">The journal's file where the provider is SQLite.</param>
    /// <param name="started">What the run was started with; how many checkpoints it keeps may have changed since.</param>
    public RolloutRetention(GhpoSettings started, string sqliteFile)
    {
        _database = JournalDatabase.Of(started.Journal, sqliteFile);
        _journal = new JournalReader(started.Journal, sqliteFile);
        _started = started;
    }

    /// <summary>Prunes what can go now: the groups of steps that all kept checkpoints hold, once there are as many as are to be kept.</summary>
    /// <returns>How many groups that were.</returns>
    /// <exception cref="DbException">The database cannot be written.</exception>
    public int Prune()
    {
        JournalEntry[] entries = [.. _journal.Entries(
            LearnerActor.JournalId,
            [.. GhpoEventSerializer.ManifestsOf(typeof(CheckpointTaken)), .. GhpoEventSerializer.ManifestsOf(typeof(ControlApplied))])];
        LearnerState state = entries.Aggregate(LearnerState.Empty, (state, entry) =>
            entry.Event is CheckpointTaken taken ? state.Apply(taken) : state.Apply((ControlApplied)entry.Event));
        int keep = new ControlTimeline(_started, state.Controls).Newest.Checkpoints.Keep;
        CheckpointTaken[] checkpoints = [.. state.Checkpoints.Where(checkpoint => checkpoint.Folder != RunForked.Origin)];
        if (checkpoints.Length < keep)
        {
            return 0;
        }

        CheckpointTaken oldest = checkpoints[^keep];
        return PruneBefore(oldest.NextStep, entries.Last(entry => entry.Event.Equals(oldest)).Ordering);
    }

    /// <param name="step">The first step whose groups stay.</param>
    /// <param name="ordering">Of the checkpoint's row: all that it covers was written before it.</param>
    private int PruneBefore(int step, long ordering)
    {
        using DbConnection connection = _database.OpenToWrite();
        long firstKept = ordering;
        int count = 0;
        for (long last = _pruned; ;)
        {
            List<(long Ordering, GroupSettled Settled)> page = Page(connection, last, ordering);
            using (DbTransaction transaction = connection.BeginTransaction())
            {
                foreach ((long row, GroupSettled settled) in page)
                {
                    if (settled.Group.Group.Step < step)
                    {
                        Replace(connection, transaction, row, new GroupPruned(GroupFacts.Of(settled.Group)));
                        count++;
                    }
                    else
                    {
                        // Sampled ahead of its step: it is due later.
                        firstKept = Math.Min(firstKept, row);
                    }
                }

                transaction.Commit();
            }

            if (page.Count < PageRows)
            {
                break;
            }

            last = page[^1].Ordering;
        }

        _pruned = firstKept - 1;
        return count;
    }

    private static List<(long Ordering, GroupSettled Settled)> Page(DbConnection connection, long after, long before)
    {
        using DbCommand command = connection.CreateCommand();
        command.CommandText =
            "SELECT ordering, manifest, message FROM journal WHERE ordering > @after AND ordering < @before AND persistence_id = @stream "
            + $"AND {command.OfKinds([.. GhpoEventSerializer.ManifestsOf(typeof(GroupSettled))])} ORDER BY ordering LIMIT {PageRows}";
        command.Add("@after", after);
        command.Add("@before", before);
        command.Add("@stream", LearnerActor.JournalId);

        using DbDataReader rows = command.ExecuteReader();
        List<(long, GroupSettled)> page = [];
        while (rows.Read())
        {
            page.Add((rows.GetInt64(0), (GroupSettled)GhpoEventSerializer.Read(rows.GetFieldValue<byte[]>(2), rows.GetString(1))));
        }

        return page;
    }

    private static void Replace(DbConnection connection, DbTransaction transaction, long ordering, GroupPruned pruned)
    {
        var serializer = new GhpoEventSerializer(null);
        using DbCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "UPDATE journal SET manifest = @manifest, message = @message WHERE ordering = @ordering";
        command.Add("@manifest", serializer.Manifest(pruned));
        command.Add("@message", serializer.ToBinary(pruned));
        command.Add("@ordering", ordering);
        command.ExecuteNonQuery();
    }
}
