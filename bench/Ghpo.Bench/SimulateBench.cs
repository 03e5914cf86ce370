using System.Diagnostics;
using System.Globalization;
using Ghpo.Configuration;

namespace Ghpo.Bench;

/// <summary>
/// How many workers one learner's control plane keeps busy: real actors, streams, sessions, leases, serializers, Akka.Remote over loopback TCP, policy plane and SQLite journal; only
/// engine and trainer are simulated.
/// <code>ghpo-bench simulate [--workers 10,100,1000] [--nodes N] [--steps N] [--groups N] [--staleness η] [--median-ms N] [--sigma-percent N] [--tokens N]</code>
/// For each number of workers a process is the learner and another one holds all workers, on --nodes members of the cluster (at most one for each worker). Once all serve and
/// what was open then is committed, --steps steps are measured, from commit to commit. A worker decodes one group at a time; a step has 0.512 groups a worker, or --groups.
/// </summary>
internal static class SimulateBench
{
    private const double GroupsPerWorker = 0.512;

    public static async Task<int> RunAsync(string[] args)
    {
        var arguments = new Arguments("simulate", args, "--workers", "--nodes", "--steps", "--groups", "--staleness", "--median-ms", "--sigma-percent", "--tokens");
        int[] counts = [.. (arguments.Text("--workers") ?? "10,100,1000").Split(',').Select(text =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0 ? count : throw new UserErrorException($"--workers {text}: must be whole numbers above 0"))];
        int median = arguments.Number("--median-ms", 5_000);
        int sigma = arguments.Number("--sigma-percent", 50);
        int tokens = arguments.Number("--tokens", 256);
        int steps = arguments.Number("--steps", 10);
        int nodes = arguments.Number("--nodes", 20);
        string staleness = arguments.Text("--staleness") ?? "4";
        Print($"a group takes a worker {median / 1e3} s (median) · exp({sigma / 1e2} z); 8 answers of about {tokens} tokens; staleness {staleness}; {steps} steps; {Environment.ProcessorCount} cores");
        Console.WriteLine("                                                           lease, ms           learner           workers");
        Console.WriteLine("workers  groups/s  leases/s    busy   ideal  of ideal       p50       p99  cores used   peak, MB  cores used  peak, MB  joined, s  window, s");
        foreach (int workers in counts)
        {
            string folder = Directory.CreateTempSubdirectory("ghpo-simulate-").FullName;
            try
            {
                string groups = Text(arguments.Number("--groups", Math.Max(2, (int)Math.Round(GroupsPerWorker * workers))));
                var start = new ProcessStartInfo(Environment.ProcessPath!,
                [
                    typeof(SimulateBench).Assembly.Location, "simulated-run", "--workers", Text(workers), "--nodes", Text(nodes), "--steps", Text(steps), "--groups", groups,
                    "--staleness", staleness, "--median-ms", Text(median), "--sigma-percent", Text(sigma), "--tokens", Text(tokens), "--folder", folder,
                ])
                {
                    RedirectStandardInput = true,
                };
                using Process run = Process.Start(start)!;
                await run.WaitForExitAsync();
                if (run.ExitCode != 0)
                {
                    return run.ExitCode;
                }
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        return 0;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
