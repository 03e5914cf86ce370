using System.Diagnostics;
using System.Globalization;
using System.Net;
using Ghpo.Policy;
using Ghpo.Policy.Plane;
using Ghpo.Rollout;
using Ghpo.Security;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace Ghpo.Bench;

/// <summary>
/// How fast the policy plane moves weights, against a plain copy over loopback TCP in the same run, and how long heartbeats of Akka take meanwhile.
/// <code>ghpo-bench policy [--megabytes N] [--rounds N] [--tls on] [--folder FOLDER]</code>
/// A round is, in turn: a TCP copy of the policy's file into another file, one of as many bytes that are neither read from nor written to a file, and a transfer by a
/// plane that has nothing yet. All in one process: sender, receiver and the two actor systems share its threads. Nothing is flushed to the disk by any of them;
/// --folder on a tmpfs keeps the disk out of it altogether.
/// </summary>
public static class PolicyBench
{
    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = new Arguments("policy", args, "--megabytes", "--rounds", "--tls", "--folder");
        int megabytes = arguments.Number("--megabytes", 1024);
        int rounds = arguments.Number("--rounds", 5);
        PolicyPlaneSettings settings = arguments.Settings().Cluster.PolicyPlane;
        DirectoryInfo root = Directory.CreateDirectory(Path.Combine(arguments.Text("--folder") ?? Path.GetTempPath(), $"ghpo-bench-policy-{Environment.ProcessId}"));
        try
        {
            using ClusterCertificates? tls = arguments.Text("--tls") == "on" ? MakeCertificates(root.FullName) : null;
            await RunAsync(root.FullName, megabytes, rounds, settings, tls);
        }
        finally
        {
            root.Delete(recursive: true);
        }

        return 0;
    }

    private static async Task RunAsync(string root, int megabytes, int rounds, PolicyPlaneSettings settings, ClusterCertificates? tls)
    {
        Console.WriteLine($"{megabytes} MiB, chunks of {settings.ChunkMegabytes} MiB, {settings.Connections} connections, {(tls is null ? "plain HTTP" : "TLS")}, {Environment.ProcessorCount} cores");
        await using PolicyPlane learner = await StartAsync(root, "learner", settings, tls);
        using Tensor big = rand([(long)megabytes << 18], float32, CPU);
        long hashed = Stopwatch.GetTimestamp();
        using var policy = new PolicySnapshot(1, new PolicyVersion(1), PolicyHash.Of(new Dictionary<string, Tensor> { ["w"] = big }), new Dictionary<string, Tensor> { ["w"] = big });
        double hashing = Stopwatch.GetElapsedTime(hashed).TotalSeconds;
        long published = Stopwatch.GetTimestamp();
        learner.Publish(policy);
        string file = Path.Combine(root, "learner", policy.Hash + ".safetensors");
        long bytes = new FileInfo(file).Length;
        Console.WriteLine(Line($"publishing: {Rate(bytes, Stopwatch.GetElapsedTime(published).TotalSeconds)}; hash of the tensors: {Rate(bytes, hashing)}"));

        await using HeartbeatProbe heartbeats = await HeartbeatProbe.StartAsync(tls);
        IReadOnlyList<double> idle = await heartbeats.WhileAsync(() => Task.Delay(1000));
        Console.WriteLine(Line($"heartbeat round trips, idle: max {1e3 * idle.Max():F1} ms of {idle.Count}"));
        Console.WriteLine("round  file to file  memory only  policy plane  of file to file  of memory only  loading  cores used by copy, plane  heartbeats max, ms");
        var ofFile = new List<double>();
        var ofMemory = new List<double>();
        var worst = new List<double>();
        for (int round = 0; round < rounds; round++)
        {
            string copy = Path.Combine(root, "copy");
            TimeSpan before = ProcessorTime();
            double fileToFile = LoopbackCopy.OfFile(file, copy);
            double copying = (ProcessorTime() - before).TotalSeconds;
            File.Delete(copy);
            double memory = LoopbackCopy.OfNothing(bytes);
            double plane = 0;
            double transferring = 0;
            double loading = 0;
            IReadOnlyList<double> trips = await heartbeats.WhileAsync(async () =>
            {
                await using PolicyPlane worker = await StartAsync(root, $"worker-{round}", settings, tls);
                TimeSpan began = ProcessorTime();
                long started = Stopwatch.GetTimestamp();
                await worker.TransferAsync(policy.Hash, learner.Address, CancellationToken.None);
                plane = Stopwatch.GetElapsedTime(started).TotalSeconds;
                transferring = (ProcessorTime() - began).TotalSeconds;
                started = Stopwatch.GetTimestamp();
                (await worker.FetchAsync(1, new PolicyVersion(1), policy.Hash, learner.Address, CancellationToken.None)).Dispose();
                loading = Stopwatch.GetElapsedTime(started).TotalSeconds;
            });
            Directory.Delete(Path.Combine(root, $"worker-{round}"), recursive: true);
            ofFile.Add(fileToFile / plane);
            ofMemory.Add(memory / plane);
            worst.Add(trips.Max());
            Console.WriteLine(Line(
                $"{round + 1,5}  {Rate(bytes, fileToFile),12}  {Rate(bytes, memory),11}  {Rate(bytes, plane),12}  {ofFile[^1],15:P0}  {ofMemory[^1],14:P0}  {Rate(bytes, loading),9}  {copying / fileToFile,19:F2}, {transferring / plane,5:F2}  {1e3 * worst[^1]:F1} of {trips.Count}"));
        }

        Console.WriteLine(Line(
            $"median: {Median(ofFile):P0} of a file-to-file copy ({ofFile.Min():P0} to {ofFile.Max():P0}), {Median(ofMemory):P0} of a memory-only one; heartbeats at most {1e3 * worst.Max():F1} ms"));
    }

    private static Task<PolicyPlane> StartAsync(string root, string name, PolicyPlaneSettings settings, ClusterCertificates? tls) => PolicyPlane.StartAsync(
        new PolicyPlaneOptions(Path.Combine(root, name), 2, IPAddress.Loopback, "127.0.0.1", settings, tls, NullLoggerFactory.Instance));

    private static ClusterCertificates MakeCertificates(string root)
    {
        string folder = Path.Combine(root, "certificates");
        CertificateFiles.Write(folder, ["node"], 1, TimeProvider.System);
        return ClusterCertificates.Load(
            new TlsSettings(true, Path.Combine(folder, "ca.pem"), Path.Combine(folder, "node.pem"), Path.Combine(folder, "node.key")), TimeProvider.System)!;
    }

    private static TimeSpan ProcessorTime()
    {
        using var self = Process.GetCurrentProcess();
        return self.TotalProcessorTime;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static string Rate(long bytes, double seconds) => Line($"{bytes / seconds / 1e9:F2} GB/s");

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
