using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Node.Evaluating;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo eval</c>: how well a model solves the problems of a file.</summary>
internal static class EvalCommand
{
    /// <summary>What makes an answer findable, unless the user asks in another way.</summary>
    private const string BoxedSystem = "Please reason step by step, and put your final answer within \\boxed{}.";

    public static Command Build()
    {
        var options = new ModelOptions();
        var data = new Option<string>("--data") { Description = "Problems: a .jsonl, .json or .parquet file.", HelpName = "FILE", Required = true };
        Option<string?> preset = new Option<string?>("--preset") { Description = $"Benchmark that the file holds: {Benchmark.Names}. Says the file's form and the default of --answers." }.Of(Benchmark.Names.Split(", "));
        var answers = new Option<int?>("--answers", "-k") { Description = "Answers sampled for each problem. Default: the preset's, else 1." };
        var limit = new Option<int>("--limit") { Description = "Only the first N problems; 0: all.", DefaultValueFactory = _ => 0 };
        var slots = new Option<int>("--slots") { Description = "Sequences decoded together.", DefaultValueFactory = _ => 32 };
        var extraction = new Option<AnswerMarker>("--extraction") { Description = "Where the answer is looked for.", DefaultValueFactory = _ => AnswerMarker.Any };
        var json = new Option<string?>("--json") { Description = "File for the figures as JSON; - for the standard output instead of the table.", HelpName = "FILE" };
        var command = new Command("eval", "Samples answers to the problems of a file and reports avg@k, pass@k and maj@k, by level.") { data, preset, answers, limit, slots, extraction, json };
        options.AddTo(command);
        command.SetAction(parsed =>
        {
            Benchmark? benchmark = parsed.GetValue(preset) is { } name ? Benchmark.Named(name) : null;
            int k = parsed.GetValue(answers) ?? benchmark?.Answers ?? 1;
            foreach ((string option, int value, int least) in new[] { ("--answers", k, 1), ("--limit", parsed.GetValue(limit), 0), ("--slots", parsed.GetValue(slots), 1) })
            {
                if (value < least)
                {
                    throw new UserErrorException($"{option} {value}: must be at least {least}");
                }
            }

            string file = parsed.GetRequiredValue(data);
            IReadOnlyList<Problem> problems = Problems(file, benchmark, parsed.GetValue(limit));
            using SamplingModel model = options.Load(parsed);
            PromptTemplate template = model.Template(options.Template(parsed));
            string system = options.System(parsed).Length > 0 || !template.HasSystem ? options.System(parsed) : BoxedSystem;
            int longest = problems.Max(problem => template.Render(model.Tokenizer, system, problem.Text, "", "").Count);
            SamplingOptions sampling = options.Sampling(parsed, model, longest);
            TextWriter error = parsed.InvocationConfiguration.Error;
            int reported = 0;
            IReadOnlyList<ProblemScore> scores = new BenchmarkRun(model, template, system, parsed.GetValue(extraction)).Score(
                problems, k, sampling, parsed.GetValue(slots), options.Seed(parsed), done =>
                {
                    int tenth = done * 10 / problems.Count;
                    if (tenth > reported)
                    {
                        reported = tenth;
                        error.WriteLine($"{done} of {problems.Count} problems");
                    }
                });
            var report = EvaluationReport.Of(options.Path(parsed), file, options.Seed(parsed), scores);
            string? target = parsed.GetValue(json);
            if (target == "-")
            {
                parsed.InvocationConfiguration.Output.WriteLine(report.ToJson());
            }
            else
            {
                report.Print(Terminal.For(parsed.InvocationConfiguration.Output));
                if (target is not null)
                {
                    File.WriteAllText(target, report.ToJson() + "\n");
                }
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static IReadOnlyList<Problem> Problems(string file, Benchmark? benchmark, int limit)
    {
        DataSettings settings = SettingsBinder.Load(null, []).Data;
        IReadOnlyList<Problem> problems = ProblemFile.Read(file, benchmark is null ? settings : settings with { Preset = benchmark.Data }).Problems;
        return limit > 0 ? [.. problems.Take(limit)] : problems;
    }
}
