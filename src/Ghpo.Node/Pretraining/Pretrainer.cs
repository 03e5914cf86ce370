using System.Diagnostics;
using System.Globalization;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using static TorchSharp.torch;

namespace Ghpo.Node.Pretraining;

/// <summary>
/// Makes the built-in base model: a small decoder with a vocabulary of bytes, trained from scratch on <see cref="PretrainingSequences"/>, and a
/// README with the command that made it and what it can do. The same options give the same bits on the same machine.
/// </summary>
public static class Pretrainer
{
    private const int LogEverySteps = 50;
    private const int MeasureEverySteps = 500;
    private const int ProblemsOnTheWay = 50;

    // Share of the steps that sees short problems without hints alone. Copying a line is learned there within a few hundred steps; among
    // long hinted sequences the loss stands still for thousands.
    private const double ShortStart = 0.3;

    // Room for other data than the built-in: rotary positions cost nothing.
    private const int MaxPositions = 8192;

    /// <summary>Trains and writes the folder. Runs on the calling thread, which it sets torch's threads of.</summary>
    /// <param name="log">Receives loss and accuracy on the way.</param>
    public static void Run(PretrainOptions options, TextWriter log)
    {
        TorchThreads.UseOnThisThread(options.Threads);
        TinyTokenizer.Write(options.Out, CompactTokens.All, CompactTokens.ChatTemplate, CompactTokens.End);
        ITokenizer tokenizer = ModelTokenizer.Load(Path.Combine(options.Out, "tokenizer.json"));
        using Decoder decoder = Start(options, tokenizer);
        ModelConfig config = decoder.Config;
        log.WriteLine(Invariant($"{decoder.parameters().Sum(parameter => parameter.numel())} parameters, {options.Steps} steps of {options.Batch} sequences"));

        var sequences = new PretrainingSequences(tokenizer, options.MaxOperations, options.Skill, SplitMix64.Mix((ulong)options.Seed));
        ulong measureSeed = SplitMix64.Mix(~(ulong)options.Seed);
        var onTheWay = new TaskAccuracy(config, tokenizer, measureSeed, ProblemsOnTheWay);
        double loss = Teach(decoder, sequences, options, log, step => log.WriteLine(
            $"accuracy after {step} steps, {ProblemsOnTheWay} problems a number of operations\n{TaskAccuracy.Table(onTheWay.Measure(Snapshot(decoder, step)))}"));

        ModelFolder.Save(options.Out, config, decoder, options.Out);
        log.WriteLine(Invariant($"the model is in {options.Out}; answering {options.Problems} problems a number of operations, for the accuracy that its README.md states"));
        using PolicySnapshot policy = Snapshot(decoder, options.Steps);
        string table = TaskAccuracy.Table(new TaskAccuracy(config, tokenizer, measureSeed, options.Problems).Measure(policy));
        File.WriteAllText(Path.Combine(options.Out, "README.md"), Readme(options, policy.Hash, loss, table));
        log.WriteLine(table);
    }

    private static Decoder Start(PretrainOptions options, ITokenizer tokenizer)
    {
        if (options.From.Length > 0)
        {
            return ModelFolder.Load(ModelFolder.Resolve(options.From), CPU, ScalarType.Float32).Decoder;
        }

        var decoder = new Decoder(Config(options, tokenizer), CPU, ScalarType.Float32);
        decoder.Initialise((ulong)options.Seed);
        return decoder;
    }

    private static ModelConfig Config(PretrainOptions options, ITokenizer tokenizer) => new(
        options.Type,
        tokenizer.VocabularySize,
        options.Width,
        options.FeedForward,
        options.Layers,
        options.Heads,
        options.KeyValueHeads,
        HeadSize: options.Width / options.Heads,
        MaxPositions,
        NormEpsilon: 1e-6,
        RopeTheta: 10_000,
        TiedEmbeddings: true,
        AttentionBias: false,
        StopTokens: [tokenizer.SpecialToken(CompactTokens.End)!.Value]);

    /// <returns>Mean loss of the last steps, nats a token.</returns>
    private static double Teach(
        Decoder decoder, PretrainingSequences sequences, PretrainOptions options, TextWriter log, Action<int> measure)
    {
        using var trainer = new SupervisedTrainer(decoder, options.Rate, options.Steps);
        long started = Stopwatch.GetTimestamp();
        long tokens = 0;
        double loss = 0;
        double sum = 0;
        int summed = 0;
        for (int step = 1; step <= options.Steps; step++)
        {
            bool shortStart = options.From.Length == 0 && step <= ShortStart * options.Steps;
            TokenSequence[] batch =
                [.. Enumerable.Range(0, options.Batch).Select(_ => shortStart ? sequences.NextShort() : sequences.Next(options.HintedShare))];
            tokens += batch.Sum(sequence => (long)sequence.Length);
            sum += trainer.Step(batch);
            summed++;
            if (step % LogEverySteps == 0 || step == options.Steps)
            {
                loss = sum / summed;
                (sum, summed) = (0, 0);
                double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
                log.WriteLine(Invariant($"step {step}  loss {loss:0.0000}  {tokens / seconds:0} tokens/s  {seconds:0} s"));
            }

            if (step % MeasureEverySteps == 0 && step < options.Steps)
            {
                measure(step);
            }
        }

        return loss;
    }

    private static PolicySnapshot Snapshot(Decoder decoder, int step)
    {
        using var noGradient = no_grad();
        var weights = decoder.named_parameters().ToDictionary(named => named.name, named => named.parameter.detach().clone());
        return new PolicySnapshot(epoch: 0, new PolicyVersion(step), PolicyHash.Of(weights), weights);
    }

    private static string Readme(PretrainOptions options, string hash, double loss, string table) => Invariant(
        $"""
        # tiny-arithmetic

        A decoder of {options.Layers} layers and width {options.Width} for the built-in arithmetic problems, trained by

            {options.CommandLine}

        It was shown problems of 1 to {options.MaxOperations} operations, {options.HintedShare:0.##} of them with a part of the correct solution as a hint, cut anywhere. What it was shown to write takes a
        multiplication for an addition {1 - options.Skill:0.##} of the time. So it writes every line in form, is sure of + and −, and gets m multiplications right with
        probability {options.Skill:0.##}ᵐ (answers are right a little more often: a chain that went wrong ends on the right digit one time in ten). Its vocabulary is the 256 bytes and four special tokens. It was never shown a held-out problem.

        Accuracy of answers sampled at temperature 1 by number of operations, {options.Problems} problems each, drawn from the training split; loss at the end {loss:0.0000} nats a token:

        {table}

        Hash of the weights: `{hash}`. The same command gives the same bits on the same kind of processor.

        """);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
