using System.Diagnostics;
using System.Runtime.InteropServices;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;

namespace Ghpo.Node.Comparing;

/// <summary>How a trial ended.</summary>
internal enum TrialEnd
{
    /// <summary>Run to its end, now or by an earlier command.</summary>
    Completed,

    /// <summary>Its process failed; its log says why.</summary>
    Failed,

    /// <summary>Stopped or not begun, because the comparison was interrupted.</summary>
    Interrupted,
}

/// <summary>
/// Runs trials as processes of this same program, each with its own run folder and a log beside it, a number of them at a time. A trial that
/// is complete is not run again, one that was interrupted is resumed, and one that fails does not stop the others.
/// </summary>
/// <param name="program">The program, and its first arguments; <see cref="ThisProgram"/> but in tests.</param>
internal sealed class TrialRunner(ComparisonPlan plan, int jobs, Action<string> note, IReadOnlyList<string> program) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<Process> _running = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>How this process was started: its program file, or, as <c>dotnet ghpo.dll</c>, the runtime and the assembly.</summary>
    public static IReadOnlyList<string> ThisProgram
    {
        get
        {
            string file = Environment.ProcessPath ?? throw new InvalidOperationException("This process does not know its own program file.");
            return Path.GetFileNameWithoutExtension(file) == "dotnet" ? [file, typeof(TrialRunner).Assembly.Location] : [file];
        }
    }

    /// <exception cref="UserErrorException">A trial's folder holds a run with other settings.</exception>
    public async Task<IReadOnlyList<(Trial Trial, TrialEnd End)>> RunAsync()
    {
        foreach (Trial trial in plan.Trials)
        {
            CheckSettings(trial);
        }

        var ends = new TrialEnd[plan.Trials.Count];
        var atATime = new ParallelOptions { MaxDegreeOfParallelism = jobs };
        await Parallel.ForAsync(0, plan.Trials.Count, atATime, async (i, _) => ends[i] = await RunAsync(plan.Trials[i]));
        return [.. plan.Trials.Zip(ends)];
    }

    /// <summary>
    /// Starts no further trial. What runs gets the signal passed on, unless the terminal has sent it to the whole process group already.
    /// </summary>
    public void Interrupt(PosixSignal signal)
    {
        _stop.Cancel();
        if (signal != PosixSignal.SIGINT)
        {
            lock (_lock)
            {
                foreach (Process process in _running)
                {
                    _ = Kill(process.Id, SigTerm);
                }
            }
        }
    }

    /// <summary>Ends what runs at once.</summary>
    public void KillAll()
    {
        lock (_lock)
        {
            foreach (Process process in _running)
            {
                process.Kill();
            }
        }
    }

    public void Dispose() => _stop.Dispose();

    /// <summary>Its log: everything that the trial's process printed.</summary>
    public string LogOf(Trial trial) => Path.Combine(plan.Folder, trial.Name + ".log");

    private const int SigTerm = 15;

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);

    private async Task<TrialEnd> RunAsync(Trial trial)
    {
        string folder = Path.Combine(plan.Folder, trial.Name);
        bool exists = File.Exists(Path.Combine(folder, "run.conf"));
        if (exists && MetricsFiles.ReadOutcome(RunFolder.Open(folder))?.Outcome == RunOutcome.Completed)
        {
            note($"{trial.Name}: complete already");
            return TrialEnd.Completed;
        }

        if (_stop.IsCancellationRequested)
        {
            return TrialEnd.Interrupted;
        }

        string[] arguments = exists ? ["resume", folder, "--plain"] : ["train", "--config", WriteConfiguration(trial), "--plain"];
        note($"{trial.Name}: {(exists ? "resumed" : "started")}, log {LogOf(trial)}");
        int exitCode = await RunProcessAsync(arguments, LogOf(trial));
        if (exitCode == Commands.ExitCodes.Success)
        {
            note($"{trial.Name}: complete");
            return TrialEnd.Completed;
        }

        if (exitCode == Commands.ExitCodes.Interrupted || _stop.IsCancellationRequested)
        {
            return TrialEnd.Interrupted;
        }

        string last = File.ReadLines(LogOf(trial)).LastOrDefault(line => line.Length > 0) ?? "nothing printed";
        note($"{trial.Name}: failed with exit code {exitCode}; log {LogOf(trial)} ends with: {last}");
        return TrialEnd.Failed;
    }

    private async Task<int> RunProcessAsync(string[] arguments, string log)
    {
        var start = new ProcessStartInfo(program[0], [.. program.Skip(1), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        await using var writer = new StreamWriter(log, append: true) { AutoFlush = true };
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += Copy;
        process.ErrorDataReceived += Copy;
        lock (_lock)
        {
            process.Start();
            _running.Add(process);
        }

        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.WaitForExitAsync();
        lock (_lock)
        {
            _running.Remove(process);
        }

        return process.ExitCode;

        void Copy(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is not null)
            {
                lock (writer)
                {
                    writer.WriteLine(line.Data);
                }
            }
        }
    }

    private string WriteConfiguration(Trial trial)
    {
        Directory.CreateDirectory(plan.Folder);
        string file = Path.Combine(plan.Folder, trial.Name + ".conf");
        File.WriteAllText(file, SettingsWriter.Write(trial.Settings));
        return file;
    }

    private void CheckSettings(Trial trial)
    {
        string folder = Path.Combine(plan.Folder, trial.Name);
        if (!File.Exists(Path.Combine(folder, "run.conf")))
        {
            return;
        }

        Dictionary<string, string> then = Flatten(RunFolder.Open(folder).ReadSettings());
        Dictionary<string, string> now = Flatten(trial.Settings);
        string[] differing =
        [
            .. now.Keys.Where(key => key != "ghpo.run.folder" && then[key] != now[key]).Select(key => $"{key} ({then[key]} then, {now[key]} now)"),
        ];
        if (differing.Length > 0)
        {
            throw new UserErrorException(
                $"{folder} holds a run with other settings: {string.Join(", ", differing)}. Give this comparison another --name, or remove that folder.");
        }
    }

    private static Dictionary<string, string> Flatten(GhpoSettings settings) =>
        HoconReader.Read("run.conf", SettingsWriter.Write(settings))
            .Where(entry => entry.Value is not HoconValue.Section)
            .ToDictionary(entry => entry.Path, entry => entry.Value.ToString()!);
}
