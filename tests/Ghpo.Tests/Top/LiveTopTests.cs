using System.Text.RegularExpressions;
using Ghpo.Node.Commands;
using Ghpo.Tests.Inspecting;
using Ghpo.Tests.Node;
using Xunit;

namespace Ghpo.Tests.Top;

public sealed class LiveTopTests
{
    [Fact]
    public async Task Of_a_live_run_it_prints_the_state_where_the_output_is_no_terminal_and_ends()
    {
        using var run = new LiveRun();
        await run.Begin(steps: 2);
        string[] expected =
        [
            @"^ghpo top  tiny  running  step \d+/100000  ETA .+  127\.0\.0\.1:\d+",
            @"\nwhy +(the run is starting|workers wait|all groups have settled|(learner|hints|curriculum|dispatcher) (waits|silent)) ?",
            @"\nreward +[▁▂▃▄▅▆▇█]{2,}  \d",
            @"\nhint share +[▁▂▃▄▅▆▇█]{2,}  \d",
            @"\nrollout-0 +serving +v\d+",
            @"\ndelivery +\d+ +\d+ +\d+/\d+",
            @"\n[\d:.]+ INFO Step \d+ is committed",
        ];
        // Each is so at most moments and not at all of them: a worker may be suspect, a run may wait for a write.
        var missing = expected.ToHashSet();
        await run.Until(async () =>
        {
            (int exitCode, string output, string error) = await TinyRun.Run("top", run.Folder);
            Assert.True(exitCode == ExitCodes.Success, error);
            missing.RemoveWhere(one => Regex.IsMatch(output.ReplaceLineEndings("\n"), one));
            return missing.Count == 0;
        });

        (string host, int port) = run.Address;
        Assert.Equal(ExitCodes.Success, (await TinyRun.Run("top", $"{host}:{port}", "--once")).ExitCode);
        (int exitCode, _, string error) = await TinyRun.Run("top", "127.0.0.1:1");
        Assert.Equal(ExitCodes.UserError, exitCode);
        Assert.Contains("Is a run going on there?", error, StringComparison.Ordinal);
    }
}
