using Ghpo.Configuration;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using Ghpo.Verification.Extraction;

namespace Ghpo.Node.Evaluating;

/// <summary>Samples k answers to each problem and judges them. Seeds depend on the seed and the problem's place alone.</summary>
internal sealed class BenchmarkRun(SamplingModel model, PromptTemplate template, string system, AnswerMarker extraction)
{
    private readonly AnswerVerifier _verifier = new(extraction, FormatRule.None);

    /// <param name="slots">Sequences decoded together; at least <paramref name="answers"/>.</param>
    /// <param name="progress">Called with the number of problems done.</param>
    /// <exception cref="UserErrorException">A prompt and its answer are longer than the model's context; names the problem.</exception>
    public IReadOnlyList<ProblemScore> Score(
        IReadOnlyList<Problem> problems, int answers, SamplingOptions sampling, int slots, long seed, Action<int> progress)
    {
        GenerationRequest[] requests =
        [
            .. problems.Select((problem, i) => new GenerationRequest(
                i, [.. template.Render(model.Tokenizer, system, problem.Text, "", "")], answers, SplitMix64.Mix(SplitMix64.Mix((ulong)seed) + (ulong)i), sampling)),
        ];
        int longest = requests.Max(request => request.Prompt.Length);
        if (longest + sampling.MaxNewTokens > model.Config.MaxPositions)
        {
            Problem problem = problems[(int)requests.First(request => request.Prompt.Length == longest).Tag];
            throw new UserErrorException(
                $"Problem {problem.Id} has {longest} prompt tokens; with --max-new-tokens {sampling.MaxNewTokens} that is beyond the model's max_position_embeddings, {model.Config.MaxPositions}.");
        }

        using IGenerationEngine engine = model.Engine(Math.Max(slots, answers), longest + sampling.MaxNewTokens);
        var scores = new ProblemScore[problems.Count];
        int next = 0;
        int done = 0;
        while (done < scores.Length)
        {
            while (next < requests.Length && answers <= engine.FreeSlots)
            {
                engine.Submit(requests[next++]);
            }

            foreach (GenerationResult result in engine.Step())
            {
                int i = (int)result.Tag;
                scores[i] = new ProblemScore(problems[i], [.. result.Completions.Select(completion => Judge(completion, problems[i]))]);
                progress(++done);
            }
        }

        return scores;
    }

    private JudgedAnswer Judge(Completion completion, Problem problem)
    {
        string text = model.Tokenizer.Decode(completion.Tokens);
        string? answer = AnswerExtractor.Find(text, extraction, completion.Finish == FinishReason.Length)?.Text;
        return new JudgedAnswer(answer, _verifier.Judge(text, completion.Finish, problem).Verdict, completion.Tokens.Length);
    }
}
