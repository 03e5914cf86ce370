using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Node.Runs;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo resume</c>: goes on with a run that was interrupted.</summary>
internal static class ResumeCommand
{
    public static Command Build()
    {
        var run = new Argument<string>("RUN") { Description = "Name of the run in runs/, or path of its folder." };
        var plain = new Option<bool>("--plain") { Description = "One line a step, also on a terminal." };
        var command = new Command("resume", "Goes on with an interrupted run, with the configuration it was started with.") { run, plain };
        command.SetAction(async (parsed, _) =>
        {
            RunFolder folder = RunFolder.Open(parsed.GetRequiredValue(run));
            folder.CheckWritable();
            GhpoSettings settings = folder.ReadSettings();
            using RunPipeline pipeline = RunPipeline.For(settings, folder);
            return await TrainingRun.ExecuteAsync(
                folder, settings, pipeline, Terminal.For(parsed.InvocationConfiguration.Output), parsed.GetValue(plain));
        });
        return command;
    }
}
