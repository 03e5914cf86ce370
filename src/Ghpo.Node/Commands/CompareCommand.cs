using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Node.Comparing;
using Ghpo.Node.Reporting;
using Ghpo.Node.Runs;
using Spectre.Console;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo compare</c>: strategies against each other, over several seeds, at equal budgets of sampled tokens.</summary>
internal static class CompareCommand
{
    public static Command Build()
    {
        var strategies = new Option<string>("--strategies")
        {
            Description = "Values of ghpo.hints.strategy, the baseline first; name=strategy for a further variant.",
            HelpName = "none,ladder",
            Required = true,
        };
        var seeds = new Option<string>("--seeds")
        {
            Description = "Seeds; each strategy runs once with each.",
            HelpName = "1,2,3",
            Required = true,
        };
        var budget = new Option<long>("--token-budget")
        {
            Description = "Completion tokens that each run samples, all hint levels included.",
            HelpName = "N",
            Required = true,
        };
        var name = new Option<string>("--name")
        {
            Description = "Name of the comparison; its folder is runs/NAME.",
            HelpName = "NAME",
            DefaultValueFactory = _ => "comparison",
        };
        var config = new Option<string?>("--config", "-c") { Description = "Configuration file (HOCON) for all runs.", HelpName = "FILE" };
        var data = new Option<string?>("--data") { Description = "Problems to train on: a .jsonl, .json or .parquet file.", HelpName = "FILE" };
        var set = new Option<string[]>("--set")
        {
            Description = "A setting for all runs, or as strategy:path=value for one strategy's; may be given many times.",
            HelpName = "path=value",
        };
        var jobs = new Option<int>("--jobs") { Description = "Runs at a time.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var command = new Command(
            "compare",
            "Trains with several strategies over several seeds on equal budgets of tokens, and compares held-out accuracy. "
            + "Repeated, it goes on where it was interrupted.")
        {
            strategies, seeds, budget, name, config, data, set, jobs,
        };
        command.SetAction(async (parsed, _) =>
        {
            ComparisonPlan plan = ComparisonPlan.Make(
                parsed.GetRequiredValue(name), "runs", parsed.GetValue(config), parsed.GetValue(data), parsed.GetRequiredValue(strategies),
                parsed.GetRequiredValue(seeds), parsed.GetRequiredValue(budget), parsed.GetValue(set) ?? []);
            int atATime = parsed.GetValue(jobs);
            return atATime > 0
                ? await RunAsync(plan, atATime, Terminal.For(parsed.InvocationConfiguration.Output))
                : throw new UserErrorException($"--jobs {atATime}: must be above 0");
        });
        return command;
    }

    private static async Task<int> RunAsync(ComparisonPlan plan, int jobs, IAnsiConsole console)
    {
        var printing = new Lock();
        void Note(string line)
        {
            lock (printing)
            {
                console.WriteLine(line);
            }
        }

        using var runner = new TrialRunner(plan, jobs, Note, TrialRunner.ThisProgram);
        IReadOnlyList<(Trial Trial, TrialEnd End)> ends;
        bool interrupted;
        using (var interruption = new Interruption(
            askToStop: signal =>
            {
                Note("Runs in progress finish their step and write a checkpoint; Ctrl-C again to end them now.");
                runner.Interrupt(signal);
            },
            exitNow: () =>
            {
                runner.KillAll();
                Interruption.ExitNow(ExitCodes.Interrupted);
            }))
        {
            ends = await runner.RunAsync();
            interrupted = interruption.Asked;
        }

        ComparisonResult result = Gather(plan, ends, runner.LogOf);
        ComparisonReport.Write(result, plan.Folder);
        ComparisonReport.Print(result, console);
        console.WriteLine($"{plan.Folder}/comparison.md, .json and .png hold this; each run has its own folder and report beside them.");
        if (interrupted)
        {
            console.WriteLine("Interrupted; the same command goes on.");
            return ExitCodes.Interrupted;
        }

        return result.Missing.Count == 0 ? ExitCodes.Success : ExitCodes.Failure;
    }

    /// <summary>Reads what the complete trials measured from their run folders.</summary>
    internal static ComparisonResult Gather(ComparisonPlan plan, IEnumerable<(Trial Trial, TrialEnd End)> ends, Func<Trial, string> logOf)
    {
        var results = new List<TrialResult>();
        var missing = new List<string>();
        foreach ((Trial trial, TrialEnd end) in ends)
        {
            RunSummary? run = end == TrialEnd.Completed ? RunSummary.Read(RunFolder.Open(Path.Combine(plan.Folder, trial.Name))) : null;
            if (run is { Before: { } before, After: { } after })
            {
                long tokens = run.Steps.Count > 0 ? run.Steps[^1].TotalRolloutTokens : 0;
                results.Add(new TrialResult(trial.Arm.Name, trial.Seed, before.Accuracy, after.Accuracy, run.Steps.Count, tokens));
            }
            else
            {
                missing.Add($"{trial.Name} ({end}, log {logOf(trial)})");
            }
        }

        return ComparisonResult.Of(plan.Name, plan.TokenBudget, [.. plan.Arms.Select(arm => arm.Name)], results, missing);
    }
}
