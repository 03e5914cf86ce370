using Ghpo.Hints;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using Xunit;

namespace Ghpo.Tests.Learning;

public sealed class HeldOutEvaluationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ghpo-evaluation-").FullName;
    private readonly ITokenizer _tokenizer;
    private readonly ScriptedEngine _engine;

    public HeldOutEvaluationTests()
    {
        TinyTokenizer.Write(_folder, CompactTokens.All, CompactTokens.ChatTemplate, CompactTokens.End);
        _tokenizer = ModelTokenizer.Load(Path.Combine(_folder, "tokenizer.json"));
        _engine = new ScriptedEngine(slots: 5);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Accuracy_is_the_mean_share_of_correct_answers_by_level_in_the_order_of_the_data()
    {
        // Two answers each: "hard a" 1 of 2 right, "hard b" none, "easy" both; a missing box and a cut answer are not solved.
        Problem[] problems = [Problem("hard a", "late"), Problem("easy", "early"), Problem("hard b", "late")];
        _engine.Answers["hard a"] = [@"\boxed{7}", @"\boxed{8}"];
        _engine.Answers["easy"] = [@"\boxed{7}", @"\boxed{7}"];
        _engine.Answers["hard b"] = ["7", ""];
        using HeldOutEvaluation evaluation = Evaluation(problems, answers: 2);

        EvaluationResult result = evaluation.Run(Policy(3));

        Assert.Equal(new PolicyVersion(3), result.Version);
        Assert.Equal([new LevelAccuracy("late", 2, 0.25), new LevelAccuracy("early", 1, 1)], result.Levels);
        Assert.Equal(0.5, result.Accuracy, 12);
    }

    [Fact]
    public void Seeds_differ_between_problems_and_not_between_policies()
    {
        Problem[] problems = [.. Enumerable.Range(0, 20).Select(i => Problem($"p{i}", ""))];
        using HeldOutEvaluation evaluation = Evaluation(problems, answers: 1);

        evaluation.Run(Policy(0));
        ulong[] first = [.. _engine.Requests.Select(request => request.Seed)];
        evaluation.Run(Policy(1));

        Assert.Equal(20, first.Distinct().Count());
        Assert.Equal(first, _engine.Requests.Skip(20).Select(request => request.Seed));
    }

    [Fact]
    public void More_answers_than_slots_are_refused_at_the_start()
    {
        Assert.Contains("evaluation.answers = 6", Assert.Throws<ArgumentException>(() => Evaluation([Problem("p", "")], answers: 6)).Message);
    }

    private HeldOutEvaluation Evaluation(Problem[] problems, int answers)
    {
        var prompts = new PromptBuilder(
            PromptTemplate.Compact,
            _tokenizer,
            new PromptSettings(PromptTemplate.Compact.Name, "", 100, TooLong.Refuse, "auto"),
            new HintSettings(HintStrategy.None, [], 0.5, HintUnit.Characters, 0));
        _engine.Tokenizer = _tokenizer;
        return new HeldOutEvaluation(
            _engine,
            _tokenizer,
            prompts,
            new AnswerVerifier(AnswerMarker.Boxed, FormatRule.None),
            problems,
            new EvaluationSettings(true, 0, Temperature: 0.5, answers),
            new SamplingOptions(1, 0, 1, 50),
            hintRatio: 0,
            seed: 11);
    }

    private static Problem Problem(string text, string level) => new(new ProblemId(text), text, "7", "solution", level);

    private static PolicySnapshot Policy(int version) => new(1, new PolicyVersion(version), "", new Dictionary<string, TorchSharp.torch.Tensor>());

    /// <summary>Answers each problem text by a script, one request a step, the newest first.</summary>
    private sealed class ScriptedEngine(int slots) : IGenerationEngine
    {
        private readonly Stack<GenerationRequest> _running = [];

        public Dictionary<string, string[]> Answers { get; } = [];

        public List<GenerationRequest> Requests { get; } = [];

        public ITokenizer? Tokenizer { get; set; }

        public int FreeSlots => slots - RunningSequences;

        public int RunningSequences => _running.Sum(request => request.Answers);

        public long TokensSampled => 0;

        public void LoadPolicy(PolicySnapshot policy) => Assert.Empty(_running);

        public void Submit(GenerationRequest request)
        {
            Assert.True(request.Answers <= FreeSlots);
            Requests.Add(request);
            _running.Push(request);
        }

        public void Withdraw(object tag) => throw new NotSupportedException();

        public IReadOnlyList<GenerationResult> Step()
        {
            GenerationRequest request = _running.Pop();
            string[] answers = Answers.GetValueOrDefault(Tokenizer!.Decode(request.Prompt)) ?? [.. Enumerable.Repeat("", request.Answers)];
            return
            [
                new GenerationResult(
                    request.Tag,
                    [
                        .. answers.Select(answer => new Completion(
                            [.. Tokenizer!.EncodeText(answer)],
                            [.. Enumerable.Repeat(0f, answer.Length)],
                            answer.Length == 0 ? FinishReason.Length : FinishReason.Stopped)),
                    ]),
            ];
        }

        public void Dispose()
        {
        }
    }
}
