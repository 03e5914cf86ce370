using System.CommandLine;
using Ghpo.Configuration;

namespace Ghpo.Node.Commands;

/// <summary>The command line of <c>ghpo</c>: parses, runs one command, and turns what it throws into a message and an exit code.</summary>
public static class GhpoCommandLine
{
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        RootCommand root = Build();
        // Without a replacer, an argument that begins with '@' is an argument and no file to read arguments from.
        ParseResult parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            foreach (string problem in CommandNames.Problems(parsed))
            {
                await error.WriteLineAsync(problem);
            }

            return ExitCodes.UserError;
        }

        try
        {
            // Interruption is the run's own business (it finishes its step first), and so are errors.
            var invocation = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = output,
                Error = error,
            };
            return await parsed.InvokeAsync(invocation);
        }
        catch (UserErrorException mistake)
        {
            await error.WriteLineAsync(mistake.Message);
            return ExitCodes.UserError;
        }
        catch (Exception failure)
        {
            await error.WriteLineAsync($"ghpo failed unexpectedly: {failure}");
            return ExitCodes.Failure;
        }
    }

    internal static RootCommand Build()
    {
        var root = new RootCommand(
            "Trains language models by reinforcement learning with verifiable rewards, with hints where a problem is too hard (GHPO).")
        {
            TrainCommand.Build(),
            ResumeCommand.Build(),
            NodeCommand.Build(),
            CompareCommand.Build(),
            ReportCommand.Build(),
            JournalCommand.Build(),
            ReplayCommand.Build(),
            ForkCommand.Build(),
            PretrainCommand.Build(),
            MergeCommand.Build(),
            VerifyCommand.Build(),
            GenerateCommand.Build(),
            EvalCommand.Build(),
            InspectModelCommand.Build(),
            ConfigCommand.Build(),
            PbmCommand.Build(),
            TopCommand.Build(),
            RunsCommand.Build(),
            CertsCommand.Build(),
            CompletionCommand.Build(),
        };
        root.Add(ManualCommand.Build(root));
        HelpWithExamples.AddTo(root);
        root.SetAction(parsed => root.Parse("--help").Invoke(parsed.InvocationConfiguration));
        return root;
    }
}
