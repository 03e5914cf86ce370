using System.CommandLine;
using Ghpo.Configuration;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo config</c>: the configuration reference.</summary>
internal static class ConfigCommand
{
    public static Command Build()
    {
        var markdown = new Option<bool>("--markdown") { Description = "As the page docs/configuration.md instead of HOCON." };
        var command = new Command("config", "Prints every setting with its default, unit and meaning.") { markdown };
        command.SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Output.Write(parsed.GetValue(markdown) ? SettingsManual.Markdown() : SettingsBinder.ReferenceText);
            return ExitCodes.Success;
        });
        return command;
    }
}
