using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Ghpo.Bench.Chaos;
using Ghpo.Node.Runs;
using Ghpo.Tests.Node;

namespace Ghpo.Tests.Inspecting;

/// <summary><c>ghpo train</c> in a process of its own, and <c>ghpo pbm</c> as a user types it.</summary>
internal sealed class LiveRun : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    private readonly TinyRun _tiny = new();
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();

    /// <param name="own">Arguments of the run, over those of <see cref="TinyRun"/>.</param>
    public LiveRun(params string[] own)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "ghpo.dll");
        var start = new ProcessStartInfo(
            "dotnet",
            [program, .. _tiny.TrainArguments(["--set", "run.steps=100000", "--set", "evaluation.enabled=false", "--set", "inspection.port=0", "--set", "rollout.max-new-tokens=64", .. own])])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Folder => Path.Combine(_tiny.Runs, "tiny");

    public int ProcessId => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output => string.Join('\n', _lines);

    /// <summary>What its process has logged so far.</summary>
    public string Log => string.Concat(Directory.GetFiles(Path.Combine(Folder, "logs")).Select(file =>
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }));

    public (string Host, int Port) Address
    {
        get
        {
            using JsonDocument address = JsonDocument.Parse(File.ReadAllText(RunFolder.Open(Folder).Inspection));
            return (address.RootElement.GetProperty("host").GetString()!, address.RootElement.GetProperty("port").GetInt32());
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <param name="signal">As kill(1) names it.</param>
    public Task SignalAsync(string signal) => GhpoProcess.SignalAsync(ProcessId, signal);

    /// <summary>Waits until something can be asked, and so many steps are committed.</summary>
    public async Task Begin(int steps = 1)
    {
        await Until(() => Task.FromResult(File.Exists(Path.Combine(Folder, "inspection.json")) && Steps() >= steps));
    }

    /// <summary>Steps that the run has told of.</summary>
    public int Steps() => File.Exists(Path.Combine(Folder, "metrics", "steps.jsonl")) ? File.ReadAllLines(Path.Combine(Folder, "metrics", "steps.jsonl")).Length : 0;

    public Task<(int ExitCode, string Output, string Error)> Pbm(params string[] words) => TinyRun.Run(["pbm", "--run", Folder, .. words]);

    /// <summary><c>ghpo pbm</c> without a command, in a process of its own, with lines on its standard input.</summary>
    public Task<(int ExitCode, string Output, string Error)> Prompt(params string[] lines) => InProcess(lines, "pbm", "--run", Folder);

    /// <summary><c>ghpo</c> in a process of its own.</summary>
    public static Task<(int ExitCode, string Output, string Error)> Cli(params string[] words) => InProcess([], words);

    private static async Task<(int ExitCode, string Output, string Error)> InProcess(string[] input, params string[] words)
    {
        using Process process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "ghpo.dll"), .. words])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var patience = new CancellationTokenSource(_patience);
        Task<string> output = process.StandardOutput.ReadToEndAsync(patience.Token);
        Task<string> error = process.StandardError.ReadToEndAsync(patience.Token);
        await process.StandardInput.WriteAsync(string.Concat(input.Select(line => line + "\n")));
        process.StandardInput.Close();
        await process.WaitForExitAsync(patience.Token);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>The first object that a command tells.</summary>
    public async Task<JsonElement> Fact(params string[] words)
    {
        (int exitCode, string output, string error) = await Pbm([.. words, "--json"]);
        return exitCode == 0
            ? JsonDocument.Parse(output.Split('\n')[0]).RootElement
            : throw new InvalidOperationException($"{string.Join(' ', words)}: {exitCode} {output}{error}\n{Output}");
    }

    public async Task Until(Func<Task<bool>> condition)
    {
        long begun = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(begun) > _patience)
            {
                throw new TimeoutException($"it did not come about; the run said:\n{Output}");
            }

            await Task.Delay(50);
        }
    }

    public async Task<int> Exit()
    {
        using var patience = new CancellationTokenSource(_patience);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
        _tiny.Dispose();
    }
}
