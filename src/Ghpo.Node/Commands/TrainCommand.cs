using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Node.Runs;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo train</c>: starts a run.</summary>
internal static class TrainCommand
{
    public static Command Build()
    {
        var options = new SettingOptions();
        var dryRun = new Option<bool>("--dry-run") { Description = "Print the configuration in force and stop." };
        var plain = new Option<bool>("--plain") { Description = "One line a step, also on a terminal." };
        var command = new Command("train", "Trains a model; with no option at all, the built-in one on the built-in problems.");
        options.AddTo(command);
        command.Add(dryRun);
        command.Add(plain);
        command.SetAction(async (parsed, _) =>
        {
            GhpoSettings resolved = options.Resolve(parsed);
            if (parsed.GetValue(dryRun))
            {
                await parsed.InvocationConfiguration.Output.WriteAsync(SettingsWriter.Write(resolved));
                return ExitCodes.Success;
            }

            RunFolder folder = RunFolder.Create(resolved, TimeProvider.System.GetLocalNow());
            try
            {
                GhpoSettings settings = folder.ReadSettings();
                using RunPipeline pipeline = RunPipeline.For(settings, folder);
                return await TrainingRun.ExecuteAsync(
                    folder, settings, pipeline, Terminal.For(parsed.InvocationConfiguration.Output), parsed.GetValue(plain));
            }
            catch (UserErrorException) when (folder.HoldsNothing)
            {
                // A mistake in data or model files: mended, the same command is to find its run's name free.
                folder.Remove();
                throw;
            }
        });
        return command;
    }
}
