using System.Text.Json.Nodes;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Commands;

namespace Ghpo.Node.Inspecting;

/// <summary>What a user types, sent to a host, and its answer printed.</summary>
/// <param name="json">One JSON object a line, instead of text.</param>
internal sealed class PbmSession(PbmClient client, bool json, TextWriter output, TextWriter error)
{
    private static readonly string _by = $"{Environment.UserName}@{Environment.MachineName}";

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> words, CancellationToken interrupted)
    {
        if (words[0] == "help")
        {
            return Help(words.Count > 1 ? words[1] : null);
        }

        int exitCode = ExitCodes.Success;
        try
        {
            InspectionRequest request = RequestReader.Read(client.Palettes, words, _by);
            await foreach (ResponseLine line in client.AskAsync(request, interrupted))
            {
                Print(line);
                exitCode = line.Error ? line.Misused ? ExitCodes.UserError : ExitCodes.Failure : exitCode;
            }
        }
        catch (UserErrorException mistake)
        {
            Print(new ResponseLine(mistake.Message, Error: true));
            return client.IsOver ? ExitCodes.Failure : ExitCodes.UserError;
        }

        return interrupted.IsCancellationRequested ? ExitCodes.Interrupted : exitCode;
    }

    /// <summary>What can be asked; of one palette, how.</summary>
    /// <returns>The exit code.</returns>
    private int Help(string? name)
    {
        if (name is null)
        {
            foreach (InspectionPalette palette in client.Palettes)
            {
                Print(Verbs.Line($"{palette.Name,-12} {palette.Description}", new { palette.Name, palette.Description }));
            }

            Print(new ResponseLine("help NAME says how each is used; exit ends."));
            return ExitCodes.Success;
        }

        if (client.Palettes.FirstOrDefault(palette => palette.Name == name) is not { } wanted)
        {
            string near = Nearest.To(name, client.Palettes.Select(palette => palette.Name)) is { } known ? $"; did you mean {known}?" : "";
            Print(new ResponseLine($"help {name}: there is no {name}{near}", Error: true));
            return ExitCodes.UserError;
        }

        foreach (InspectionCommand command in wanted.Commands)
        {
            string usage = RequestReader.Usage(wanted, command);
            Print(Verbs.Line(
                string.Join('\n', [usage, $"    {command.Description}{(command.Tail ? ". Ctrl-C ends it" : "")}", .. command.Arguments.Select(Describe)]),
                new { Usage = usage, command.Description, command.Tail, Arguments = command.Arguments.Select(argument => new { argument.Name, argument.Description, argument.Switches, argument.Default }) }));
        }

        return ExitCodes.Success;
    }

    private static string Describe(InspectionArgument argument) =>
        $"    {string.Join(", ", argument.Switches)}: {argument.Description}{(argument.Default is { Length: > 0 } fallback ? $" (default {fallback})" : "")}";

    private void Print(ResponseLine line)
    {
        if (json && line.Error)
        {
            output.WriteLine(new JsonObject { ["error"] = line.Text }.ToJsonString());
        }
        else if (json && line.Json is not null)
        {
            output.WriteLine(line.Json);
        }
        else if (!json)
        {
            (line.Error ? error : output).WriteLine(TerminalText.Of(line.Text));
        }

        output.Flush();
    }
}
