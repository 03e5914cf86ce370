using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Ghpo.Node.Commands;

/// <summary>The library's help, and below it how the command is typed.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    /// <summary>In place of the help that a root command comes with, which also answers to the names it has elsewhere (/? and /h).</summary>
    public static void AddTo(RootCommand root)
    {
        root.Options.Remove(root.Options.OfType<HelpOption>().Single());
        var option = new HelpOption("--help", "-h", "-?");
        option.Action = new HelpWithExamples((HelpAction)option.Action!);
        root.Options.Insert(0, option);
    }

    /// <summary>Help is for those who do not know yet what is missing.</summary>
    public override bool ClearsParseErrors => help.ClearsParseErrors;

    public override int Invoke(ParseResult parseResult)
    {
        int exitCode = help.Invoke(parseResult);
        CommandExample[] examples = [.. CommandExamples.Of(parseResult.CommandResult.Command)];
        if (examples.Length > 0)
        {
            TextWriter output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (CommandExample example in examples)
            {
                output.WriteLine($"  {example.Line}");
                output.WriteLine($"      {example.Meaning}");
            }

            output.WriteLine();
        }

        return exitCode;
    }
}
