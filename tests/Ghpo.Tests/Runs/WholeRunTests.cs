using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Hints;
using Ghpo.Inspection;
using Ghpo.Learning;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using Xunit;

namespace Ghpo.Tests.Runs;

/// <summary>Whole runs through the production wiring: what they compute, and that it depends on nothing but seed and settings.</summary>
public sealed class WholeRunTests : IDisposable
{
    private readonly TinyRun _tiny = new();

    public void Dispose() => _tiny.Dispose();

    [Fact]
    public async Task A_run_of_one_worker_and_of_three_of_uneven_speed_gives_the_same_weights()
    {
        string one = await Complete(_tiny.Settings("rollout.workers=1"));
        string three = await Complete(_tiny.Settings("rollout.workers=3"), tutor =>
        {
            // Not reproducible on purpose: whatever order comes of it, the result must be the same.
            tutor.BeforeStep = () => Thread.Sleep(Random.Shared.Next(4));
            tutor.BeforeLoad = _ => Thread.Sleep(Random.Shared.Next(40));
        });

        TinyRun.RequireSound(one, steps: 3);
        TinyRun.RequireSound(three, steps: 3);
        TinyRun.RequireSameRun(one, three);
    }

    [Fact]
    public async Task The_whole_run_equals_the_plain_loop()
    {
        GhpoSettings settings = _tiny.Settings();
        string folder = await Complete(settings);

        (RunContext run, _) = TinyRun.Create(_tiny.NewFolder(), settings);
        Assert.Equal(PlainLoop(run), TinyRun.Hashes(folder));
    }

    [Fact]
    public async Task The_prompt_a_group_is_trained_on_is_the_prompt_it_was_sampled_under()
    {
        // Ten problems in one step: two of each kind, so groups solved at every level and never are in one batch.
        GhpoSettings settings = _tiny.Settings("run.steps=1", "curriculum.groups-per-step=10");
        string folder = _tiny.NewFolder();
        (RunContext run, Tutor tutor) = TinyRun.Create(folder, settings);
        await RunSession.Complete(run);

        ImmutableArray<SettledGroup> settled = TinyRun.Settled(folder);
        Assert.Equal(10, settled.Length);
        foreach (SettledGroup group in settled)
        {
            // Of all that the engine ever answered, the one that these very completions belong to.
            TutoredGroup answered = Assert.Single(tutor.Answered, answered => answered.Group == group.Group
                && answered.Completions.Select(Text).SequenceEqual(group.Samples.Select(sample => Text(sample.Completion))));
            Assert.Equal(answered.Prompt, group.Prompt);
            Assert.Equal(answered.Attempt, group.Attempt);

            string problem = run.ProblemsById[group.Problem].Text;
            string solution = run.ProblemsById[group.Problem].Solution!;
            int from = TinyRun.Kinds[int.Parse(run.ProblemsById[group.Problem].Answer, null) % TinyRun.Kinds.Length];
            Assert.Equal(Math.Min(from, 75) / 100.0, group.HintRatio);
            Assert.Equal(from == 100 ? Settlement.Unsolved : Settlement.Solved, group.Settlement);
            string hint = solution[..(int)(solution.Length * group.HintRatio)];
            Assert.Equal(
                hint.Length == 0 ? $"<|problem|>{problem}<|solution|>" : $"<|problem|>{problem}<|hint|>{hint}<|solution|>",
                run.Tokenizer.Decode(group.Prompt, keepSpecial: true));
            Assert.Equal(
                hint.Length == 0 ? "" : $"<|problem|>{problem}<|solution|>",
                run.Tokenizer.Decode(group.UnhintedPrompt, keepSpecial: true));
            Assert.Equal(
                tutor.Answered.Where(answered => answered.Group == group.Group && answered.Attempt < group.Attempt)
                    .Sum(answered => answered.Completions.Sum(completion => completion.Tokens.Length)),
                group.ExtraTokens);
        }

        StepReport report = Assert.Single(TinyRun.Commits(folder)).Report;
        Assert.Equal([new(0, 2), new(0.25, 2), new(0.5, 2), new(0.75, 2)], report.Settled);
        Assert.Equal(2, report.Unsolved);
        Assert.Equal(0.2, report.FirstAttemptSolved, 12);
        Assert.Equal(tutor.Answered.Sum(answered => answered.Completions.Sum(completion => completion.Tokens.Length)), report.RolloutTokens);

        static string Text(Completion completion) => string.Join(' ', completion.Tokens);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_run_with_the_least_room_everywhere_finishes_even_when_every_group_climbs_the_ladder(int staleness)
    {
        GhpoSettings settings = _tiny.Settings(
            "dispatch.permits=1", "rollout.slots=4", "rollout.workers=2", "verification.workers=1", "run.steps=2", $"rollout.staleness={staleness}");
        string folder = _tiny.NewFolder();

        // The bare model: nobody whispers, so nothing is ever solved.
        RunEvents.RunEnded ended = await RunSession.Complete(RunContextFactory.Create("tiny", folder, settings, TimeProvider.System));

        Assert.Equal(RunOutcome.Completed, ended.Outcome);
        Assert.All(TinyRun.Settled(folder), group => Assert.Equal((Settlement.Unsolved, 3, 0.75), (group.Settlement, group.Attempt, group.HintRatio)));
        Assert.Equal(2 * 5 * 3, TinyRun.Hints(folder).Length);
    }

    [Fact]
    public async Task With_staleness_one_no_group_is_older_than_that_and_the_journal_folds_to_the_same_weights()
    {
        GhpoSettings settings = _tiny.Settings("rollout.staleness=1", "run.steps=5", "dispatch.permits=3");
        string folder = _tiny.NewFolder();
        (RunContext run, Tutor tutor) = TinyRun.Create(folder, settings);
        RunEvents.RunEnded ended = await RunSession.Complete(run);

        Assert.Equal(RunOutcome.Completed, ended.Outcome);
        TinyRun.RequireSound(folder, steps: 5, staleness: 1);
        ImmutableArray<SettledGroup> settled = TinyRun.Settled(folder);
        Assert.All(settled, group => Assert.InRange(group.Version.Value, Math.Max(0, group.Group.Step - 1), group.Group.Step));
        Assert.Contains(settled, group => group.Version.Value == group.Group.Step - 1);
        foreach (SettledGroup group in settled)
        {
            // The version that the journal names is the one that the engine held.
            Assert.Equal(Assert.Single(tutor.Answered, answered => answered.Group == group.Group && answered.Attempt == group.Attempt).Version, group.Version);
        }

        Assert.Equal(TinyRun.Hashes(folder)[^1], TinyRun.Fold(run, settled));
    }

    [Fact]
    public async Task With_switch_in_flight_answers_go_on_under_newer_policies_and_the_journal_says_where_and_folds_to_the_same_weights()
    {
        GhpoSettings settings = _tiny.Settings(
            "rollout.staleness=1", "rollout.switch-in-flight=true", "run.steps=5", "dispatch.permits=10", "rollout.max-new-tokens=24", "rollout.workers=2");
        string folder = _tiny.NewFolder();
        (RunContext run, Tutor tutor) = TinyRun.Create(folder, settings);
        tutor.BeforeStep = () => Thread.Sleep(5);
        RunEvents.RunEnded ended = await RunSession.Complete(run);

        Assert.Equal(RunOutcome.Completed, ended.Outcome);
        TinyRun.RequireSound(folder, steps: 5, staleness: 1);
        ImmutableArray<SettledGroup> settled = TinyRun.Settled(folder);
        Assert.All(settled, group => Assert.InRange(group.Version.Value, Math.Max(0, group.Group.Step - 1), group.Group.Step));
        Assert.NotEmpty(tutor.Switched);
        (SettledGroup Group, PolicySwitch At, int Length)[] switches =
            [.. settled.SelectMany(group => group.Samples.SelectMany(sample => sample.Completion.Switches.Select(at => (group, at, sample.Completion.Tokens.Length))))];
        Assert.NotEmpty(switches);
        Assert.All(switches, one =>
        {
            Assert.InRange(one.At.Token, 0, one.Length - 1);
            Assert.True(one.At.Version > one.Group.Version);
        });
        Assert.Equal(TinyRun.Hashes(folder)[^1], TinyRun.Fold(run, settled));
    }

    [Fact]
    public async Task A_verifier_that_fails_on_an_answer_leaves_it_out_of_the_advantages_and_the_run_goes_on()
    {
        GhpoSettings settings = _tiny.Settings("run.steps=2");
        string folder = _tiny.NewFolder();
        (RunContext run, _) = TinyRun.Create(folder, settings);
        await RunSession.Complete(run with { Tokenizer = new FailingTokenizer(run.Tokenizer, tokens => tokens[0] % 4 == 1) });

        TinyRun.RequireSound(folder, steps: 2);
        ImmutableArray<SettledGroup> settled = TinyRun.Settled(folder);
        TrainingSample[] samples = [.. settled.SelectMany(group => group.Samples)];
        Assert.All(samples, sample => Assert.Equal(sample.Completion.Tokens[0] % 4 == 1, sample.Verdict == Verdict.VerifierFailed));
        int failed = samples.Count(sample => sample.Verdict == Verdict.VerifierFailed);
        Assert.InRange(failed, 1, samples.Length - 1);
        Assert.Equal(failed, TinyRun.Commits(folder).Sum(step => step.Report.Verdicts.Single(count => count.Verdict == Verdict.VerifierFailed).Samples));

        // Whatever those answers had been, the weights would be the same.
        SettledGroup[] altered =
        [
            .. settled.Select(group => group with
            {
                Samples =
                [
                    .. group.Samples.Select(sample => sample.Verdict == Verdict.VerifierFailed
                        ? sample with { Completion = new Completion([65, 66], [-1, -1], FinishReason.Stopped), Format = true }
                        : sample),
                ],
            }),
        ];
        Assert.Equal(TinyRun.Hashes(folder)[^1], TinyRun.Fold(run, altered));
    }

    private async Task<string> Complete(GhpoSettings settings, Action<Tutor>? instruct = null)
    {
        string folder = _tiny.NewFolder();
        (RunContext run, Tutor tutor) = TinyRun.Create(folder, settings);
        instruct?.Invoke(tutor);
        RunEvents.RunEnded ended = await RunSession.Complete(run);
        Assert.Equal((RunOutcome.Completed, settings.Run.Steps), (ended.Outcome, ended.Steps));
        return folder;
    }

    /// <summary>The algorithm without actors, streams or journal.</summary>
    /// <returns>The hash of the weights after each step.</returns>
    private static ImmutableArray<string> PlainLoop(RunContext run)
    {
        GhpoSettings settings = run.Settings;
        var sampling = new SamplingOptions(settings.Rollout.Temperature, settings.Rollout.TopK, settings.Rollout.TopP, settings.Rollout.MaxNewTokens);
        var planner = new CurriculumPlanner(settings.Curriculum, settings.Run.Seed, [.. run.Problems.Train.Select(problem => problem.Id)]);
        CurriculumState curriculum = CurriculumState.Empty;
        using IGenerationEngine engine = run.CreateEngine();
        using IPolicyTrainer trainer = run.CreateTrainer();
        var hashes = ImmutableArray.CreateBuilder<string>();
        for (int step = 0; step < settings.Run.Steps; step++)
        {
            CurriculumProtocol.StepPlanned plan = planner.Plan(curriculum);
            curriculum = curriculum.Apply(plan).Close(step);
            using (PolicySnapshot policy = trainer.TakeSnapshot(epoch: 1))
            {
                engine.LoadPolicy(policy);
            }

            trainer.Train([.. plan.Groups.Select(Settle)]);
            using PolicySnapshot trained = trainer.TakeSnapshot(epoch: 1);
            hashes.Add(trained.Hash);
        }

        return hashes.ToImmutable();

        SettledGroup Settle(PlannedGroup planned)
        {
            Problem problem = run.ProblemsById[planned.Problem];
            var attempt = new GroupAttempt(planned.Group, planned.Problem, 0, 0);
            while (true)
            {
                PromptedGroup prompted = run.Prompts.Build(attempt, problem);
                engine.Submit(new GenerationRequest(
                    attempt, prompted.Prompt, settings.Rollout.GroupSize, SampleSeed.Of(settings.Run.Seed, planned.Group, attempt.Attempt), sampling));
                IReadOnlyList<GenerationResult> finished;
                do
                {
                    finished = engine.Step();
                }
                while (finished.Count == 0);

                ImmutableArray<TrainingSample> samples =
                [
                    .. finished[0].Completions.Select(completion =>
                    {
                        Judgement judgement = run.Verifier.Judge(run.Tokenizer.Decode(completion.Tokens), completion.Finish, problem);
                        return new TrainingSample(completion, judgement.Verdict, judgement.Format);
                    }),
                ];
                bool solved = samples.Any(sample => sample.Verdict == Verdict.Correct);
                if (solved || HintLadder.Next(settings.Hints, attempt) is not { } next)
                {
                    return new SettledGroup(
                        planned.Group, planned.Problem, solved ? Settlement.Solved : Settlement.Unsolved, attempt.Attempt, attempt.HintRatio, false,
                        prompted.Prompt, prompted.UnhintedPrompt, samples, 0, 1, trainer.Version);
                }

                attempt = next;
            }
        }
    }
}
