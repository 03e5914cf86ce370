using System.Runtime.InteropServices;
using Ghpo.Node.Commands;
using Ghpo.Node.Runs;
using Xunit;

namespace Ghpo.Tests.Node;

public sealed class CommandLineTests
{
    private static async Task<(int ExitCode, string Output, string Error)> Run(params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        return (await GhpoCommandLine.RunAsync(args, output, error), output.ToString(), error.ToString());
    }

    [Fact]
    public async Task Without_arguments_it_prints_help()
    {
        (int exitCode, string output, _) = await Run();
        Assert.Equal(ExitCodes.Success, exitCode);
        Assert.Contains("train", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_prints_the_configuration_in_force_and_makes_no_run()
    {
        (int exitCode, string output, string error) = await Run(
            "train", "--steps", "7", "--strategy", "none", "--set", "learning.rate=2e-4", "--set", "ghpo.run.folder=nowhere", "--dry-run");
        Assert.Equal((ExitCodes.Success, ""), (exitCode, error));
        Assert.Contains("steps = 7\n", output, StringComparison.Ordinal);
        Assert.Contains("strategy = \"none\"\n", output, StringComparison.Ordinal);
        Assert.Contains("rate = 0.0002\n", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists("nowhere"));
    }

    [Theory]
    [InlineData("train --set learning.rat=1 --steps 0", "did you mean ghpo.learning.rate?")]
    [InlineData("train --set learning.rat=1 --steps 0", "--steps 0: ghpo.run.steps = 0 must be at least 1")]
    [InlineData("train --stepz 3", "--stepz")]
    [InlineData("resume nowhere", "nowhere: no such run")]
    [InlineData("report nowhere", "nowhere: no such run")]
    [InlineData("compare --strategies none", "--seeds")]
    public async Task A_mistake_is_a_message_without_stack_trace_and_exit_code_2(string arguments, string expected)
    {
        (int exitCode, _, string error) = await Run(arguments.Split(' '));
        Assert.Equal(ExitCodes.UserError, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_signal_asks_to_stop_and_the_second_exits()
    {
        var seen = new List<string>();
        using var interruption = new Interruption(signal => seen.Add($"ask {signal}"), () => seen.Add("exit"));
        Assert.False(interruption.Asked);
        interruption.Signal(PosixSignal.SIGTERM);
        Assert.True(interruption.Asked);
        Assert.Equal(["ask SIGTERM"], seen);
        interruption.Signal(PosixSignal.SIGINT);
        Assert.Equal(["ask SIGTERM", "exit"], seen);
    }
}
