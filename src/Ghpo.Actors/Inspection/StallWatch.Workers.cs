using System.Collections.Immutable;
using Ghpo.Dispatch;

namespace Ghpo.Inspection;

/// <summary>Who samples, here and on other nodes.</summary>
public sealed partial record StallWatch
{
    /// <summary>The dispatcher has told of the workers. Those of other nodes are not asked by themselves: their reports to it say when they were last heard.</summary>
    public StallWatch Heard(WorkerProtocol.WorkersView pool, DateTimeOffset now)
    {
        StallWatch heard = Heard(DispatcherName, "granting leases", 0, 0, now);
        ImmutableSortedDictionary<string, MemberSeen> members = heard.Members.RemoveRange(Remote(Pool).Select(worker => worker.Name).Except(Remote(pool).Select(worker => worker.Name)));
        foreach (WorkerProtocol.WorkerView worker in Remote(pool))
        {
            members = members.SetItem(worker.Name, Seen(members.GetValueOrDefault(worker.Name) ?? MemberSeen.New(worker.Name, worker.LastHeard), worker, now));
        }

        // What one of this process was given since it fell silent, it does not say itself.
        foreach (WorkerProtocol.WorkerView worker in pool.Workers.Where(worker => worker.IsLocal))
        {
            if (members.GetValueOrDefault(worker.Name) is { Asked: not null } silent)
            {
                members = members.SetItem(worker.Name, silent with { Groups = worker.Groups });
            }
        }

        return heard with
        {
            Members = members,
            Pool = pool,
            UnsampledSince = pool is { PendingGroups: > 0, LeasedGroups: 0 } ? UnsampledSince ?? now : null,
        };
    }

    private Diagnosis? OfWorkers(string waits, DateTimeOffset now)
    {
        foreach (MemberSeen worker in Members.Values.Where(member => IsWorker(member.Name) && member.Groups > 0))
        {
            string hands = $"{worker.Groups} {(worker.Groups == 1 ? "group" : "groups")} in hand";
            if (worker.Asked is { } asked && now - asked > Prompt)
            {
                TimeSpan silence = now - worker.Heard;
                return new Diagnosis(
                    $"{waits}; {worker.Name} silent for {Seconds(silence)} in {worker.Doing} ({hands})", worker.Name, worker.Heard, now - asked > Tolerated(worker.LongestSilence));
            }

            if (now - worker.ProgressAt > Patience)
            {
                return new Diagnosis($"{waits}; {worker.Name} has sampled nothing {Ago(worker.ProgressAt, now)} ({hands}, {worker.Doing})", worker.Name, worker.ProgressAt, true);
            }
        }

        return null;
    }

    /// <summary>Groups wait for a worker, and none has any in hand: whoever fell silent is at fault, else whoever is there and takes nothing.</summary>
    private Diagnosis? OfUnsampled(string waits, DateTimeOffset now)
    {
        if (UnsampledSince is not { } since || Pool is not { } pool)
        {
            return null;
        }

        MemberSeen? silent = pool.Workers
            .Where(worker => worker.State != WorkerState.Lost)
            .Select(worker => Members.GetValueOrDefault(worker.Name))
            .OfType<MemberSeen>()
            .Where(member => now - member.Asked > Prompt)
            .MinBy(member => member.Heard);
        if (silent is not null)
        {
            return new Diagnosis(
                $"{waits}; {silent.Name} silent for {Seconds(now - silent.Heard)} in {silent.Doing} ({pool.PendingGroups} wait for another worker)",
                silent.Name, silent.Heard, now - silent.Asked > Tolerated(silent.LongestSilence));
        }

        if (now - since <= Prompt)
        {
            return null;
        }

        string pending = $"{waits}; {pool.PendingGroups} {(pool.PendingGroups == 1 ? "waits" : "wait")} for a worker {Ago(since, now)}";
        bool stalled = now - since > Patience;
        return pool.Workers.Where(worker => worker.State != WorkerState.Serving).OrderBy(worker => worker.State == WorkerState.Lost).ThenByDescending(worker => worker.Since).FirstOrDefault() is { } idle
            ? new Diagnosis($"{pending}, and {idle.Name} is {idle.State.ToString().ToLowerInvariant()} {Ago(idle.Since, now)}{(idle.Why.Length > 0 ? $" ({idle.Why})" : "")}", idle.Name, since, stalled)
            : new Diagnosis($"{pending}{(pool.Workers.IsEmpty ? ", and there is none" : "")}", "rollout", since, stalled);
    }

    private static bool IsWorker(string name) => name is not (RunName or LearnerName or HintsName or CurriculumName or DispatcherName or VerificationName);

    private static IEnumerable<WorkerProtocol.WorkerView> Remote(WorkerProtocol.WorkersView? pool) =>
        pool?.Workers.Where(worker => !worker.IsLocal && worker.State != WorkerState.Lost).DistinctBy(worker => worker.Name) ?? [];

    private static MemberSeen Seen(MemberSeen before, WorkerProtocol.WorkerView worker, DateTimeOffset now)
    {
        TimeSpan silence = worker.LastHeard - before.Heard;
        return before with
        {
            Heard = worker.LastHeard,
            Asked = now - worker.LastHeard > ReportDue ? worker.LastHeard + ReportDue : null,
            Doing = worker switch
            {
                { State: WorkerState.Suspect } => before.Doing,
                { RunningSequences: > 0 } => "decode",
                { State: WorkerState.Fetching } => "fetching a policy",
                { State: WorkerState.Joining } => "joining",
                _ => "idle",
            },
            Groups = worker.Groups,
            Progress = worker.TokensSampled,
            ProgressAt = worker.TokensSampled != before.Progress || worker.Groups == 0 ? now : before.ProgressAt,
            LongestSilence = silence > before.LongestSilence ? silence : before.LongestSilence,
        };
    }
}
