using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Ghpo.Bench.Chaos;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Inspecting;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;

namespace Ghpo.Bench;

/// <summary>
/// What being looked into costs a run: seconds a step of a <c>ghpo train</c> that answers so many requests a second, against those of one that is left alone. Alternately: alone, asked,
/// alone, asked, ...
/// <code>
///   inspection [--rounds N] [--steps N] [--rate N] [--paused SECONDS] [--config FILE] [--set path=value]...
/// </code>
/// With <c>--rate 0</c> nobody asks in either, which tells how far two runs that are left alone differ; with <c>--paused 0</c> the part at the end is left out.
/// All rounds do the same work token by token, so steps are compared with their like:
/// <code>
///   ratio of round r = Σ_k t_k(asked, r) / Σ_k t_k(alone, r) − 1          k from <see cref="WarmUp"/> on
/// </code>
/// Processor time is the run's process alone, over the same steps; the client is this process, and its share of the machine is in the clock's ratio and not in that one. Questions are asked from
/// the start and faster at first, so that the code that answers is compiled when the measured steps begin. Two runs differ by more than what is looked for; so, besides, the run is paused at the end of each asked round,
/// when hardly anything else takes processor time, and an answer's is what the process takes over some seconds of asking, less what it takes over as long without (mean of before and after).
/// That once on one connection, as <c>top</c> and a prompt ask, and once with a connection for each question, as <c>ghpo pbm</c> with a command does; before, hundreds of each, because what the first
/// ones take is mostly their code's compilation, once a process.
/// </summary>
internal static class InspectionBench
{
    private const int WarmUp = 6;

    private const int WarmUpRate = 40;

    /// <summary>What a person with <c>pbm</c> or <c>top</c> asks, in turn.</summary>
    private static readonly string[][] _questions =
    [
        ["run", "status"], ["why"], ["worker", "list"], ["pipeline", "show"], ["rollout", "list"], ["run", "metrics", "--last", "20"], ["hint", "show"], ["curriculum", "show"], ["log", "peek"],
    ];

    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = new Arguments("inspection", args, "--rounds", "--steps", "--rate", "--paused");
        int rounds = arguments.Number("--rounds", 3);
        int steps = WarmUp + arguments.Number("--steps", 12);
        int rate = arguments.Number("--rate", 10, least: 0);
        var paused = TimeSpan.FromSeconds(arguments.Number("--paused", 16, least: 0));
        GhpoSettings settings = arguments.Settings(("run.steps", "100000"), ("evaluation.enabled", "false"), ("checkpoints.every-steps", "1000000"), ("inspection.port", "0"));
        var clock = new List<double>();
        var processor = new List<double>();
        for (int round = 1; round <= rounds; round++)
        {
            Measured alone = await MeasureAsync(settings, steps, rate: 0, TimeSpan.Zero);
            Measured asked = await MeasureAsync(settings, steps, rate, paused);
            clock.Add((asked.Seconds / alone.Seconds) - 1);
            processor.Add((asked.Processor / alone.Processor) - 1);
            Print($"round {round}  alone {alone.Seconds:0.000} s, {alone.Processor:0.00} s of processor time; asked {asked.Seconds:0.000} s, {asked.Processor:0.00} s, {asked.Requests} answers, {asked.Answer.TotalMilliseconds:0.0} ms each (median), {asked.PerSecond:0.0} a second  → {clock[^1] * 100:+0.0;-0.0} %, processor {processor[^1] * 100:+0.0;-0.0} %; an answer of the paused run {asked.Paused.Answer * 1e3:0.00} ms of processor time, 10 a second {asked.Paused.Answer * 10 / (alone.Processor / alone.Seconds) * 100:0.00} % of what the run takes alone; with a connection of its own {asked.Paused.WithConnection * 1e3:0.00} ms, {asked.Paused.WithConnection * 10 / (alone.Processor / alone.Seconds) * 100:0.00} %");
        }

        Print($"{rate} requests a second cost {Median(clock) * 100:+0.0;-0.0} % of the time of {steps - WarmUp} steps ({clock.Min() * 100:+0.0;-0.0} to {clock.Max() * 100:+0.0;-0.0} %), and {Median(processor) * 100:+0.0;-0.0} % of processor time ({processor.Min() * 100:+0.0;-0.0} to {processor.Max() * 100:+0.0;-0.0} %)");
        return 0;
    }

    private static async Task<Measured> MeasureAsync(GhpoSettings settings, int steps, int rate, TimeSpan pausedFor)
    {
        string root = Directory.CreateTempSubdirectory("ghpo-bench-").FullName;
        try
        {
            string config = Path.Combine(root, "bench.conf");
            await File.WriteAllTextAsync(config, SettingsWriter.Write(settings));
            using GhpoProcess run = GhpoProcess.Start("train", "--plain", "--config", config, "--run", "bench", "--set", $"run.folder={root}");
            string folder = Path.Combine(root, "bench");
            await UntilAsync(run, () => File.Exists(Path.Combine(folder, "inspection.json")));
            using (var warm = new CancellationTokenSource())
            {
                Task warming = rate > 0 ? AskAsync(folder, WarmUpRate, connectEach: false, warm.Token) : Task.CompletedTask;
                await UntilAsync(run, () => StepsOf(folder) >= WarmUp);
                await warm.CancelAsync();
                await warming;
            }

            using var over = new CancellationTokenSource();
            var asked = Stopwatch.StartNew();
            Task<List<TimeSpan>> asking = rate > 0 ? AskAsync(folder, rate, connectEach: false, over.Token) : Task.FromResult<List<TimeSpan>>([]);
            using var process = Process.GetProcessById(run.Id);
            double before = process.TotalProcessorTime.TotalSeconds;
            await UntilAsync(run, () => StepsOf(folder) >= steps);
            process.Refresh();
            double processor = process.TotalProcessorTime.TotalSeconds - before;
            await over.CancelAsync();
            List<TimeSpan> answers = await asking;
            asked.Stop();
            (double, double) paused = rate > 0 && pausedFor > TimeSpan.Zero ? await PausedAsync(process, folder, rate, pausedFor) : default;
            double seconds = MetricsFiles.ReadSteps(RunFolder.Open(folder)).Take(steps).Skip(WarmUp).Sum(step => step.StepSeconds);
            run.Kill();
            await run.Ended;
            return new Measured(seconds, processor, paused, answers.Count, answers.Count / asked.Elapsed.TotalSeconds, answers.Count == 0 ? TimeSpan.Zero : answers.Order().ElementAt(answers.Count / 2));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <returns>Seconds of processor time an answer, while the run is paused.</returns>
    private static async Task<(double Answer, double WithConnection)> PausedAsync(Process process, string folder, int rate, TimeSpan time)
    {
        using (PbmClient client = await ConnectAsync(folder))
        {
            await AnswerAsync(client, RequestReader.Read(client.Palettes, ["run", "pause"], "bench"));
        }

        // What is open is sampled to its end.
        while (await TakesAsync(process, TimeSpan.FromSeconds(1), Task.CompletedTask) > 0.2)
        {
        }

        await AskedAsync(process, folder, WarmUpRate, connectEach: false, time);
        await AskedAsync(process, folder, rate: 20, connectEach: true, time);
        double first = await TakesAsync(process, time, Task.CompletedTask);
        (double kept, int answers) = await AskedAsync(process, folder, rate, connectEach: false, time);
        double second = await TakesAsync(process, time, Task.CompletedTask);
        (double connected, int connections) = await AskedAsync(process, folder, rate, connectEach: true, time);
        double third = await TakesAsync(process, time, Task.CompletedTask);
        return ((kept - ((first + second) / 2)) / answers, (connected - ((second + third) / 2)) / connections);
    }

    private static async Task<(double Takes, int Answers)> AskedAsync(Process process, string folder, int rate, bool connectEach, TimeSpan time)
    {
        using var over = new CancellationTokenSource(time);
        Task<List<TimeSpan>> asking = AskAsync(folder, rate, connectEach, over.Token);
        double takes = await TakesAsync(process, time, asking);
        return (takes, (await asking).Count);
    }

    /// <returns>Seconds of processor time until both are over.</returns>
    private static async Task<double> TakesAsync(Process process, TimeSpan time, Task work)
    {
        process.Refresh();
        double before = process.TotalProcessorTime.TotalSeconds;
        await Task.WhenAll(Task.Delay(time), work);
        process.Refresh();
        return process.TotalProcessorTime.TotalSeconds - before;
    }

    private static async Task<PbmClient> ConnectAsync(string folder)
    {
        using JsonDocument address = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "inspection.json"), CancellationToken.None));
        return await PbmClient.ConnectAsync("127.0.0.1", address.RootElement.GetProperty("port").GetInt32(), "");
    }

    private static async Task AnswerAsync(PbmClient client, InspectionRequest request)
    {
        await foreach (ResponseLine line in client.AskAsync(request, CancellationToken.None))
        {
            if (line.Error)
            {
                throw new InvalidOperationException(line.Text);
            }
        }
    }

    /// <returns>How long each answer took.</returns>
    private static async Task<List<TimeSpan>> AskAsync(string folder, int rate, bool connectEach, CancellationToken over)
    {
        PbmClient client = await ConnectAsync(folder);
        try
        {
            InspectionRequest[] requests = [.. _questions.Select(words => RequestReader.Read(client.Palettes, words, "bench"))];
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / rate));
            var took = new List<TimeSpan>();
            while (!over.IsCancellationRequested)
            {
                long begun = Stopwatch.GetTimestamp();
                if (connectEach)
                {
                    client.Dispose();
                    client = await ConnectAsync(folder);
                }

                await AnswerAsync(client, requests[took.Count % requests.Length]);
                took.Add(Stopwatch.GetElapsedTime(begun));
                await timer.WaitForNextTickAsync(CancellationToken.None);
            }

            return took;
        }
        finally
        {
            client.Dispose();
        }
    }

    private static int StepsOf(string folder)
    {
        string file = Path.Combine(folder, "metrics", "steps.jsonl");
        return File.Exists(file) ? File.ReadLines(file).Count() : 0;
    }

    private static async Task UntilAsync(GhpoProcess run, Func<bool> condition)
    {
        while (!condition())
        {
            if (run.Ended.IsCompleted)
            {
                throw new InvalidOperationException($"The run ended:\n{run.Printed}");
            }

            await Task.Delay(20);
        }
    }

    private static double Median(List<double> values) => (values.Order().ElementAt((values.Count - 1) / 2) + values.Order().ElementAt(values.Count / 2)) / 2;

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private sealed record Measured(double Seconds, double Processor, (double Answer, double WithConnection) Paused, int Requests, double PerSecond, TimeSpan Answer);
}
