using System.Globalization;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Problems;
using Ghpo.Rollout;
using Ghpo.Verification;
using static TorchSharp.torch;

namespace Ghpo.Node.Commands;

/// <summary>Two real training steps on a model with the settings at hand, and what they made of the process's peak memory. Linux only.</summary>
internal static class MeasuredStep
{
    /// <summary>Growth of the peak resident set (VmHWM) in bytes from before the weights are loaded to after two steps of two full micro-batches each.</summary>
    /// <param name="length">Prompt and completion of a row, in tokens.</param>
    /// <param name="rows">Rows of a micro-batch.</param>
    internal static long Run(string folder, GhpoSettings settings, int length, int rows)
    {
        TorchThreads.UseOnThisThread(settings.Learning.Threads);

        // What a process has before its first weight: libtorch, its threads, the tokenizer.
        _ = ModelTokenizer.Load(Path.Combine(folder, "tokenizer.json"));
        using (NewDisposeScope())
        {
            _ = rand(256, 256).mm(rand(256, 256));
        }

        long before = PeakResident();
        using LoadedModel model = ModelFolder.Load(folder, CPU, settings.Model.Dtype.Scalar());
        using var trainer = new PolicyTrainer(
            model, settings.Learning with { MicroBatchTokens = rows * length }, settings.Rewards, temperature: 1, maxNewTokens: length, totalSteps: 2, evaluation: null);
        for (int step = 0; step < 2; step++)
        {
            trainer.Train([Group(step, 0, rows, length, model.Config), Group(step, 1, rows, length, model.Config)]);
        }

        return PeakResident() - before;
    }

    /// <summary>Half of the answers are correct. All but the prompt's single token are trained.</summary>
    private static SettledGroup Group(int step, int index, int rows, int length, ModelConfig config) => new(
        new GroupId(step, index),
        new ProblemId($"measured-{index}"),
        Settlement.Solved,
        Attempt: 0,
        HintRatio: 0,
        HintShortened: false,
        Prompt: [0],
        UnhintedPrompt: [],
        [
            .. Enumerable.Range(0, rows).Select(row => new TrainingSample(
                new Completion(
                    [.. Enumerable.Range(0, length - 1).Select(i => (int)((row * 31L + i * 7L + index) % config.VocabularySize))],
                    [.. Enumerable.Repeat(-5f, length - 1)],
                    FinishReason.Stopped),
                row % 2 == 0 ? Verdict.Correct : Verdict.Wrong,
                Format: false)),
        ],
        ExtraTokens: 0,
        Epoch: 1,
        new PolicyVersion(step));

    /// <exception cref="UserErrorException">The system is not Linux.</exception>
    private static long PeakResident()
    {
        const string Status = "/proc/self/status";
        string line = File.Exists(Status) ? File.ReadLines(Status).First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)) : throw new UserErrorException("--measure reads /proc/self/status, which only Linux has.");
        return 1024 * long.Parse(line["VmHWM:".Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }
}
