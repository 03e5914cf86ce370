using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Node.Pretraining;
using Ghpo.Policy;
using Ghpo.Problems;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Pretraining;

public sealed class PretrainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ghpo-pretrain-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_hinted_sequence_goes_on_exactly_where_the_hint_stops()
    {
        (PretrainingSequences sequences, ITokenizer tokenizer) = Sequences(seed: 3, skill: 1);
        bool cutWithinLine = false;
        bool cutAtLineEnd = false;
        for (int i = 0; i < 500; i++)
        {
            TokenSequence sequence = sequences.Next(hintedShare: 1);
            string prompt = tokenizer.Decode(sequence.Prompt, keepSpecial: true);
            string completion = tokenizer.Decode(sequence.Completion, keepSpecial: true);

            Assert.StartsWith("<|problem|>", prompt);
            Assert.EndsWith("<|solution|>", prompt);
            Assert.EndsWith("<|end|>", completion);
            string[] parts = prompt["<|problem|>".Length..^"<|solution|>".Length].Split("<|hint|>");
            (string problem, string hint) = (parts[0], parts[1]);
            string rest = completion[..^"<|end|>".Length];
            Assert.Equal(ArithmeticProblems.Solve(problem).Solution, hint + rest);
            Assert.NotEmpty(hint);
            Assert.Equal(DataSplit.Train, ArithmeticProblems.SplitOf(problem));

            // The verifier sees the completion alone: a hint that began the answer line would leave nothing to judge.
            Assert.Contains(@"\boxed{", rest);
            cutAtLineEnd |= hint.EndsWith('\n');
            cutWithinLine |= !hint.EndsWith('\n') && !rest.StartsWith('\n');
        }

        Assert.True(cutWithinLine && cutAtLineEnd);
    }

    [Fact]
    public void One_more_operation_makes_a_short_sequence_half_as_frequent()
    {
        (PretrainingSequences sequences, ITokenizer tokenizer) = Sequences(seed: 4);
        ILookup<int, int> operations = Enumerable.Range(0, 2000)
            .Select(_ => tokenizer.Decode(sequences.NextShort().Completion).Count(c => c == '\n'))
            .ToLookup(count => count);

        Assert.All(operations, count => Assert.InRange(count.Key, 1, 10));
        Assert.InRange(operations[1].Count(), 900, 1100);
        Assert.InRange(operations[2].Count(), 430, 570);
        Assert.InRange(operations[4].Count(), 90, 165);
    }

    [Fact]
    public void A_completion_takes_a_multiplication_for_an_addition_as_often_as_the_skill_says_and_a_hint_never_does()
    {
        (PretrainingSequences sequences, ITokenizer tokenizer) = Sequences(seed: 6, skill: 0.3);
        int right = 0;
        int all = 0;
        for (int i = 0; i < 1000; i++)
        {
            TokenSequence sequence = sequences.Next(hintedShare: 0.5);
            string[] prompt = tokenizer.Decode(sequence.Prompt, keepSpecial: true)["<|problem|>".Length..^"<|solution|>".Length].Split("<|hint|>");
            string hint = prompt.Length > 1 ? prompt[1] : "";
            Assert.StartsWith(hint, ArithmeticProblems.Solve(prompt[0]).Solution);

            // A line begins "a*b=c"; one whose result the hint shows is not the completion's.
            string solution = hint + tokenizer.Decode(sequence.Completion);
            for (int start = 0, end; (end = solution.IndexOf('\n', start)) >= 0; start = end + 1)
            {
                (int left, int factor, int result) = (solution[start] - '0', solution[start + 2] - '0', solution[start + 4] - '0');
                if (solution[start + 1] == '*' && start + 4 >= hint.Length)
                {
                    all++;
                    right += result == left * factor % 10 ? 1 : 0;
                    Assert.True(result == left * factor % 10 || result == (left + factor) % 10, solution);
                }
            }
        }

        Assert.InRange((double)right / all, 0.27, 0.33);
    }

    [Fact]
    public void The_same_command_makes_the_same_folder_and_the_model_loads()
    {
        PretrainOptions options = new(
            Out: Path.Combine(_folder, "a"), Steps: 3, Batch: 4, Width: 16, Layers: 1, Heads: 2, KeyValueHeads: 1, FeedForward: 16, Problems: 1);
        var log = new StringWriter();
        Pretrainer.Run(options, log);
        Pretrainer.Run(options with { Out = Path.Combine(_folder, "b") }, TextWriter.Null);
        TorchThreads.UseOnThisThread(1);

        Assert.Contains("step 3", log.ToString());
        foreach (string file in Directory.GetFiles(options.Out).Select(path => Path.GetFileName(path)).Where(name => name != "README.md"))
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "a", file)), File.ReadAllBytes(Path.Combine(_folder, "b", file)));
        }

        using LoadedModel model = ModelFolder.Load(options.Out, CPU, ScalarType.Float32);
        string readme = File.ReadAllText(Path.Combine(options.Out, "README.md"));
        Assert.Contains(options.CommandLine, readme);
        Assert.Contains(
            PolicyHash.Of(model.Decoder.named_parameters().ToDictionary(named => named.name, named => (Tensor)named.parameter)), readme);
        Assert.Same(PromptTemplate.Compact, PromptTemplate.Resolve(PromptTemplate.Auto, options.Out));
    }

    [Fact]
    public void Supervised_steps_bring_the_loss_down()
    {
        (PretrainingSequences sequences, _) = Sequences(seed: 5);
        TokenSequence[] batch = [.. Enumerable.Range(0, 8).Select(_ => sequences.Next(hintedShare: 0.5))];
        using var decoder = new Decoder(Learning.Samples.Model with { MaxPositions = 256 }, CPU, ScalarType.Float32);
        decoder.Initialise(1);
        using var trainer = new SupervisedTrainer(decoder, rate: 3e-3, steps: 100);

        double first = trainer.Step(batch);
        double last = first;
        for (int step = 1; step < 100; step++)
        {
            last = trainer.Step(batch);
        }

        // A fresh model is all but uniform over its 260 tokens: ln 260 = 5.56.
        Assert.Equal(Math.Log(260), first, 0.1);
        Assert.True(last < 3.5, $"the loss is {last} after 100 steps on the same 8 sequences");
    }

    private (PretrainingSequences Sequences, ITokenizer Tokenizer) Sequences(ulong seed, double skill = 0.3)
    {
        TinyTokenizer.Write(_folder, CompactTokens.All, CompactTokens.ChatTemplate, CompactTokens.End);
        ITokenizer tokenizer = ModelTokenizer.Load(Path.Combine(_folder, "tokenizer.json"));
        return (new PretrainingSequences(tokenizer, maxOperations: 10, skill, seed), tokenizer);
    }
}
