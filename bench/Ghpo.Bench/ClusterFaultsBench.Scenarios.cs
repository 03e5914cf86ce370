using System.Diagnostics;
using System.Globalization;
using Ghpo.Bench.Chaos;

namespace Ghpo.Bench;

/// <summary>The scenarios. Where one worker is frozen, what settles after that is the other one's.</summary>
internal static partial class ClusterFaultsBench
{
    private const string LeasesGo = "is suspect";

    private static async Task<string> KilledAsync(FaultStage stage)
    {
        await stage.BeginAsync();
        await stage.Run.KillWorkerAsync("w1");
        TimeSpan open = await stage.OpenSettledAsync();
        TimeSpan back = await FirstResultAsync(stage, "w1", frozen: ["w2"]);
        TimeSpan fresh = await FirstResultAsync(stage, "w3", frozen: ["w1", "w2"]);
        return $"what was open at the kill had settled {Seconds(open)} later; first group {Seconds(back)} after the start of the worker that returns, {Seconds(fresh)} after that of a new one";
    }

    private static async Task<string> LeftAsync(FaultStage stage)
    {
        await stage.BeginAsync();
        (TimeSpan took, int exitCode) = await stage.Run.TerminateWorkerAsync("w1");
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"exit code {exitCode}\n{stage.Run.Printed}");
        }

        await stage.MoreAsync(Groups);
        return $"a worker left {Seconds(took)} after SIGTERM with exit code 0";
    }

    private static async Task<string> FrozenAsync(FaultStage stage)
    {
        await stage.BeginAsync();
        await stage.Run.FreezeAsync("w1", frozen: true);
        TimeSpan open = await stage.OpenSettledAsync();
        stage.SlowDown("w2");
        await Task.Delay(TimeSpan.FromSeconds(12));
        await stage.SpeedUpAsync();
        await stage.Run.FreezeAsync("w2", frozen: true);
        await stage.Run.FreezeAsync("w1", frozen: false);
        TimeSpan back = await SettledByAsync(stage);
        await stage.Run.FreezeAsync("w2", frozen: false);
        return $"what was open at SIGSTOP had settled {Seconds(open)} later; woken up past its lease of 8 s, the worker has a group settled after {Seconds(back)}";
    }

    /// <summary>The run is paused meanwhile, so that no newer policy takes the altered one's place, and the altered one is the only whole source beside the learner, which is asked last.</summary>
    private static async Task<string> CorruptChunkAsync(FaultStage stage)
    {
        string[] Own(string name) => [.. FaultStage.Node, "--set", $"cluster.folder={FolderOf(stage, name)}"];
        await stage.BeginAsync();
        stage.Run.StartWorker("liar", Own("liar"));
        await stage.ServesAsync("liar");
        await stage.MoreAsync(Groups);
        await stage.AskAsync("run", "pause");
        await stage.AnsweredAsync(answer => answer.Contains("the run is paused", StringComparison.Ordinal), "why");
        await stage.Run.TerminateWorkerAsync("w1");
        await stage.Run.TerminateWorkerAsync("w2");
        foreach (string file in Directory.GetFiles(Path.Combine(FolderOf(stage, "liar"), "plane"), "*.safetensors"))
        {
            Corrupt(file);
        }

        stage.Run.StartWorker("fetcher", Own("fetcher"));
        await stage.SaidAsync(stage.Run.Worker("fetcher"), "is left for the rest of this fetch");
        await stage.ServesAsync("fetcher");
        await stage.AskAsync("run", "resume");
        await stage.MoreAsync(2 * Groups);
        return "a worker whose stored weights were altered was found out by the first chunk, named and passed over; the worker that fetched from it got the policy from the learner";
    }

    private static async Task<string> PartitionHealedAsync(FaultStage stage)
    {
        (int first, int second) = (stage.Network!.AddHost(), stage.Network.AddHost());
        await stage.BeginAsync(null, first, second);
        stage.Network.Cut(first);
        TimeSpan open = await stage.OpenSettledAsync();
        stage.SlowDown("w2");
        await Task.Delay(TimeSpan.FromSeconds(7));
        await stage.SpeedUpAsync();
        await stage.Run.FreezeAsync("w2", frozen: true);
        stage.Network.Heal(first);
        TimeSpan back = await SettledByAsync(stage);
        await stage.Run.FreezeAsync("w2", frozen: false);
        int sessions = stage.Run.Worker("w1").Said("joins run");
        return $"what was open at the cut had settled {Seconds(open)} later; healed after 7 s more, the worker has a group settled after {Seconds(back)}, in {(sessions == 1 ? "the same session" : string.Create(CultureInfo.InvariantCulture, $"session {sessions}"))}";
    }

    private static Task<string> PartitionAsync(FaultStage stage) => PutOutAsync(stage, stage.Network!.Cut, stage.Network!.Heal);

    private static Task<string> OneLinkAsync(FaultStage stage) => PutOutAsync(stage, stage.Network!.Hide, stage.Network!.Show);

    private static async Task<string> PutOutAsync(FaultStage stage, Action<int> cut, Action<int> heal)
    {
        (int first, int second) = (stage.Network!.AddHost(), stage.Network.AddHost());
        await stage.BeginAsync(null, first, second);
        GhpoProcess worker = stage.Run.Worker("w1");
        long start = Stopwatch.GetTimestamp();
        cut(first);
        TimeSpan open = await stage.OpenSettledAsync();
        stage.SlowDown("w2");
        await stage.SaidAsync(worker, "looks for a learner again");
        TimeSpan putOut = Stopwatch.GetElapsedTime(start);
        await stage.SpeedUpAsync();
        long healed = Stopwatch.GetTimestamp();
        heal(first);
        TimeSpan joined = await stage.SaidAsync(worker, "joins run", 2);
        await stage.ServesAsync("w1");
        await stage.Run.FreezeAsync("w2", frozen: true);
        await SettledByAsync(stage);
        TimeSpan back = Stopwatch.GetElapsedTime(healed);
        await stage.Run.FreezeAsync("w2", frozen: false);
        return $"what was open at the cut had settled {Seconds(open)} later; the worker was put out after {Seconds(putOut)}; healed then, it had a new session {Seconds(joined)} later, and a group settled after {Seconds(back)}";
    }

    private static async Task<string> WorkersApartAsync(FaultStage stage)
    {
        (int first, int second) = (stage.Network!.AddHost(), stage.Network.AddHost());
        await stage.BeginAsync(null, first, second);
        stage.SlowDown("w1");
        stage.SlowDown("w2");
        stage.Network.SetApart(first, true);
        stage.Network.SetApart(second, true);
        int before = stage.Settled;
        long start = Stopwatch.GetTimestamp();
        double longest = 0;
        while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60))
        {
            longest = Math.Max(longest, (await stage.MoreAsync()).TotalSeconds);
        }

        int settled = stage.Settled - before;
        stage.Network.SetApart(first, false);
        stage.Network.SetApart(second, false);
        await stage.SpeedUpAsync();
        await stage.MoreAsync(Groups);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"in 60 s in which two workers could not see each other {settled} groups settled, the longest wait {longest:0.0} s; sessions: {stage.Run.Worker("w1").Said("joins run")} and {stage.Run.Worker("w2").Said("joins run")}");
    }

    private static async Task<string> SlowLinkAsync(FaultStage stage)
    {
        (int first, int second) = (stage.Network!.AddHost(), stage.Network.AddHost());
        await stage.BeginAsync(null, first, second);
        stage.Network.Slow(first, "2mbit");
        TimeSpan took = await stage.MoreAsync(4 * Groups);
        string suspect = stage.Run.Learner.Said($"w1 {LeasesGo}") == 0 ? "was never suspect" : "was suspect";
        await stage.Run.FreezeAsync("w2", frozen: true);
        TimeSpan alone = await SettledByAsync(stage);
        await stage.Run.FreezeAsync("w2", frozen: false);
        return $"4 steps with one worker behind 2 Mbit/s took {Seconds(took)}, and it {suspect}; alone it has a group settled after {Seconds(alone)}";
    }

    private static async Task<string> DatabaseGoneAsync(FaultStage stage)
    {
        await stage.BeginAsync();
        _server!.Kill();
        await Task.Delay(TimeSpan.FromSeconds(30));
        _server.Start();
        TimeSpan back = await stage.MoreAsync();
        await stage.MoreAsync(Groups);
        return $"the database was killed and gone for 30 s; the next group settled {Seconds(back)} after it was back";
    }

    private static async Task<string> LearnerMovesAsync(FaultStage stage)
    {
        HostNetwork network = stage.Network!;
        (int old, int place, int first, int second) = (network.AddHost(), network.AddHost(), network.AddHost(), network.AddHost());
        stage.Run.LearnerMayComeTo(network.AddressOf(old));
        stage.Run.LearnerMayComeTo(network.AddressOf(place));
        await stage.BeginAsync(old, first, second);
        await stage.Run.Learner.SignalAsync("STOP");
        using GhpoProcess stale = stage.Run.LeaveLearner();
        long stopped = Stopwatch.GetTimestamp();
        int settled = stage.Settled;
        int refused = 0;
        TimeSpan held = TimeSpan.Zero;
        while (stage.Run.Tables.Rows("es-v1") < 2)
        {
            stage.Run.StartLearner(place);
            GhpoProcess successor = stage.Run.Learner;
            while (!successor.Ended.IsCompleted && stage.Run.Tables.Rows("es-v1") < 2)
            {
                await Task.Delay(50);
            }

            if (successor.Ended.IsCompleted)
            {
                refused++;
                successor.Dispose();
                await Task.Delay(500);
            }

            held = Stopwatch.GetElapsedTime(stopped);
        }

        await stage.Run.SettledAsync(settled + (4 * Groups));
        TimeSpan working = Stopwatch.GetElapsedTime(stopped);
        await stale.SignalAsync("CONT");
        long awake = Stopwatch.GetTimestamp();
        await stage.MoreAsync(2 * Groups);
        await stale.Ended.WaitAsync(TimeSpan.FromMinutes(1));
        TimeSpan gone = Stopwatch.GetElapsedTime(awake);
        if (stale.ExitCode != 1 || stale.Said("was taken over by") == 0)
        {
            throw new InvalidOperationException($"the stale learner ended with {stale.ExitCode}\n{stale.Printed}\n{stage.Run.Printed}");
        }

        await stage.MoreAsync(2 * Groups);
        return $"the learner frozen: another one elsewhere was refused {refused} times, had the run after {Seconds(held)} and four steps more after {Seconds(working)}; woken up, the stale one was gone within {Seconds(gone)} and changed nothing";
    }

    /// <summary>Starts a worker, and freezes the named ones when it has its policy: it may have to fetch that from one of them.</summary>
    /// <returns>From its start to the first group that it has settled.</returns>
    private static async Task<TimeSpan> FirstResultAsync(FaultStage stage, string name, string[] frozen)
    {
        long start = Stopwatch.GetTimestamp();
        stage.Run.StartWorker(name, FaultStage.Node);
        await stage.ServesAsync(name);
        foreach (string other in frozen)
        {
            await stage.Run.FreezeAsync(other, frozen: true);
        }

        await SettledByAsync(stage);
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        foreach (string other in frozen)
        {
            await stage.Run.FreezeAsync(other, frozen: false);
        }

        return took;
    }

    /// <summary>The next group but one to settle: what was on its way when the others were frozen is not counted.</summary>
    private static async Task<TimeSpan> SettledByAsync(FaultStage stage)
    {
        await Task.Delay(100);
        return TimeSpan.FromMilliseconds(100) + await stage.MoreAsync();
    }

    private static string FolderOf(FaultStage stage, string worker) => Path.Combine(stage.Folder, "..", $"node-{worker}");

    private static void Corrupt(string file)
    {
        using FileStream weights = new(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        foreach (long place in new[] { weights.Length / 4, weights.Length * 3 / 4 })
        {
            weights.Position = place;
            int value = weights.ReadByte();
            weights.Position = place;
            weights.WriteByte((byte)(value ^ 0x55));
        }
    }
}
