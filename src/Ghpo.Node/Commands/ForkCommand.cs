using System.CommandLine;
using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Node.Journaling;
using Ghpo.Node.Runs;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo fork</c>: a new run from a step of another one.</summary>
internal static class ForkCommand
{
    public static Command Build()
    {
        Argument<string> run = JournalCommand.Run();
        var step = new Option<int>("--at-step") { Description = "The last step that the new run shares with this one; steps count from 0.", HelpName = "STEP", Required = true };
        var name = new Option<string>("--run") { Description = "Name of the new run; it is put beside the other one.", HelpName = "NAME", Required = true };
        Option<string[]> set = new Option<string[]>("--set")
        {
            Description = "A setting that the new run has instead; may be given many times.",
            HelpName = "path=value",
        }.OfSettings();
        var command = new Command(
            "fork", "Makes a new run from a committed step of a live or finished one, which it leaves as it is. `ghpo resume NAME` goes on with it.")
        {
            run, step, name, set,
        };
        command.SetAction(async (parsed, _) =>
        {
            TextWriter output = parsed.InvocationConfiguration.Output;
            RunJournal parent = RunJournal.Open(parsed.GetRequiredValue(run));
            string child = parsed.GetRequiredValue(name);
            (RunFolder folder, RunForked forked) = await RunFork.CreateAsync(
                parent,
                parsed.GetRequiredValue(step),
                child,
                [.. (parsed.GetValue(set) ?? []).Select(one => SettingOverride.Parse(one))],
                TimeProvider.System,
                folded => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"step {folded.Step} folded again: {EventLine.Short(folded.Hash)}")));
            string changes = forked.Changes.IsEmpty ? "with the same settings" : $"with {string.Join(", ", forked.Changes)}";
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{child}: from {forked.Parent} after step {forked.Step} (v{forked.Step + 1}, weights {EventLine.Short(forked.PolicyHash)}), {changes}. Go on with: {folder.ResumeCommand}"));
            return ExitCodes.Success;
        });
        return command;
    }
}
