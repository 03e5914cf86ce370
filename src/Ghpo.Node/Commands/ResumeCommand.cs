using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Node.Journaling;
using Ghpo.Node.Runs;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo resume</c>: goes on with a run that was interrupted.</summary>
internal static class ResumeCommand
{
    public static Command Build()
    {
        Argument<string> run = JournalCommand.Run();
        var plain = new Option<bool>("--plain") { Description = "One line a step, also on a terminal." };
        Option<string[]> set = new Option<string[]>("--set")
        {
            Description = "Changes a setting from the first open step on; journalled with the run. Only settings that may change within a run; may be given many times.",
            HelpName = "path=value",
        }.OfSettings(LiveSettings.Keys.Contains);
        var cluster = new Option<bool>("--cluster") { Description = "Workers of other nodes may join (ghpo.cluster.enabled)." };
        var command = new Command("resume", "Goes on with an interrupted run, with the configuration it was started with.") { run, set, cluster, plain };
        command.SetAction(async (parsed, _) =>
        {
            RunFolder folder = RunFolder.Open(parsed.GetRequiredValue(run));
            folder.CheckWritable();
            RunControls controls = RunControls.Of(
                RunJournal.Open(folder.Root),
                [
                    .. EnvironmentSettings.Read().Where(one => LiveSettings.Keys.Contains(one.FullPath)),
                    .. parsed.GetValue(cluster) ? [new SettingOverride("ghpo.cluster.enabled", "true", "--cluster")] : Array.Empty<SettingOverride>(),
                    .. (parsed.GetValue(set) ?? []).Select(one => SettingOverride.Parse(one)),
                ],
                by: $"{Environment.UserName}@{Environment.MachineName}",
                TimeProvider.System.GetUtcNow());
            using RunPipeline pipeline = RunPipeline.For(controls, folder);
            return await TrainingRun.ExecuteAsync(
                folder, controls.InForce, pipeline, Terminal.For(parsed.InvocationConfiguration.Output), parsed.GetValue(plain));
        });
        return command;
    }
}
