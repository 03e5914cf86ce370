using System.Collections.Concurrent;
using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Bench;

/// <summary>Samples, judges and escalates the groups of a step on one thread an engine. A hard group goes back into the queue at its next level.</summary>
internal sealed class PlainRollout(
    GhpoSettings settings,
    ProblemSet problems,
    ITokenizer tokenizer,
    PromptBuilder prompts,
    AnswerVerifier verifier,
    SamplingOptions sampling,
    IReadOnlyList<IGenerationEngine> engines)
{
    private readonly Dictionary<ProblemId, Problem> _problems = problems.Train.ToDictionary(problem => problem.Id);

    private HintState _hints = HintState.Empty(staleness: 0);

    /// <returns>The groups in the order of their ids.</returns>
    public IReadOnlyList<SettledGroup> Settle(ImmutableArray<PlannedGroup> groups, PolicySnapshot policy)
    {
        var queue = new ConcurrentQueue<Trial>(groups.Select(group => new Trial(HintLadder.Open(settings.Hints, _hints, group), DroppedTokens: 0)));
        var settled = new ConcurrentDictionary<GroupId, SettledGroup>();
        var failures = new ConcurrentQueue<Exception>();
        Thread[] workers = [.. engines.Select(engine => new Thread(() => Work(engine)))];
        Array.ForEach(workers, worker => worker.Start());
        Array.ForEach(workers, worker => worker.Join());
        if (!failures.IsEmpty)
        {
            throw new AggregateException(failures);
        }

        SettledGroup[] ordered = [.. settled.OrderBy(entry => entry.Key).Select(entry => entry.Value)];
        foreach (SettledGroup group in ordered)
        {
            _hints = _hints.Apply(new HintProtocol.GroupReleased(group.Group, group.Problem, group.HintRatio, group.Settlement == Settlement.Solved));
        }

        return ordered;

        void Work(IGenerationEngine engine)
        {
            try
            {
                TorchThreads.UseOnThisThread(settings.Rollout.Threads);
                engine.LoadPolicy(policy);
                int held = 0;
                while (settled.Count < groups.Length && failures.IsEmpty)
                {
                    // No engine takes more than its share, or the others would idle.
                    int share = (groups.Length - settled.Count + engines.Count - 1) / engines.Count;
                    while (held < share && engine.FreeSlots >= settings.Rollout.GroupSize && queue.TryDequeue(out Trial? trial))
                    {
                        Submit(engine, trial);
                        held++;
                    }

                    if (engine.RunningSequences == 0)
                    {
                        // Another worker's group may come back at a higher level.
                        Thread.Sleep(1);
                        continue;
                    }

                    foreach (GenerationResult result in engine.Step())
                    {
                        held--;
                        SettleOrRaise((Sampled)result.Tag, result.Completions, queue, settled, policy);
                    }
                }
            }
            catch (Exception failure)
            {
                failures.Enqueue(failure);
            }
        }
    }

    private void Submit(IGenerationEngine engine, Trial trial)
    {
        GroupAttempt attempt = trial.Attempt;
        PromptedGroup prompted = prompts.Build(attempt, _problems[attempt.Problem]);
        engine.Submit(new GenerationRequest(
            new Sampled(trial, prompted),
            prompted.Prompt,
            settings.Rollout.GroupSize,
            SampleSeed.Of(settings.Run.Seed, attempt.Group, attempt.Attempt),
            sampling));
    }

    private void SettleOrRaise(
        Sampled sampled,
        ImmutableArray<Completion> completions,
        ConcurrentQueue<Trial> queue,
        ConcurrentDictionary<GroupId, SettledGroup> settled,
        PolicySnapshot policy)
    {
        GroupAttempt attempt = sampled.Trial.Attempt;
        Problem problem = _problems[attempt.Problem];
        Judgement[] judgements = [.. completions.Select(completion => verifier.Judge(tokenizer.Decode(completion.Tokens), completion.Finish, problem))];
        bool solved = judgements.Any(judgement => judgement.Verdict == Verdict.Correct);
        bool judged = judgements.Any(judgement => judgement.Counts);
        GroupAttempt? next = solved || !judged || !sampled.Prompted.HasSolution ? null : HintLadder.Next(settings.Hints, attempt);
        if (next is not null)
        {
            queue.Enqueue(new Trial(next, sampled.Trial.DroppedTokens + completions.Sum(completion => completion.Tokens.Length)));
            return;
        }

        Settlement settlement = solved ? Settlement.Solved
            : !judged ? Settlement.Unjudged
            : sampled.Prompted.HasSolution ? Settlement.Unsolved
            : Settlement.NoSolution;
        settled[attempt.Group] = new SettledGroup(
            attempt.Group,
            attempt.Problem,
            settlement,
            attempt.Attempt,
            attempt.HintRatio,
            sampled.Prompted.HintShortened,
            sampled.Prompted.Prompt,
            attempt.HintRatio > 0 ? prompts.Build(attempt with { HintRatio = 0 }, problem).Prompt : [],
            [.. completions.Zip(judgements, (completion, judgement) => new TrainingSample(completion, judgement.Verdict, judgement.Format) { OwnScore = judgement.OwnScore })],
            sampled.Trial.DroppedTokens,
            policy.Epoch,
            policy.Version);
    }

    /// <param name="DroppedTokens">Completion tokens sampled for the group at lower levels.</param>
    private sealed record Trial(GroupAttempt Attempt, int DroppedTokens);

    private sealed record Sampled(Trial Trial, PromptedGroup Prompted);
}
