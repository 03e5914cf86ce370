using System.Globalization;
using System.Runtime.InteropServices;
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
internal static partial class MeasuredStep
{
    private const int TrimThreshold = -1;
    private const int MmapThreshold = -3;

    /// <summary>Growth of the resident set's peak in bytes, over what the process has once it has trained another, tiny model: libraries, their threads and scratch memory, compiled code.</summary>
    /// <param name="Process">With the system's allocator as it is in a long run.</param>
    /// <param name="Tensors">With every block of 64 KiB and more in pages of its own, which go back to the system when it is freed: what the tensors take.</param>
    internal readonly record struct Growth(long Process, long Tensors);

    /// <summary>Loads the model and takes two steps of two full micro-batches each, twice.</summary>
    /// <param name="length">Prompt and completion of a row, in tokens.</param>
    /// <param name="rows">Rows of a micro-batch.</param>
    /// <exception cref="UserErrorException">The system is not Linux.</exception>
    internal static Growth Run(string folder, GhpoSettings settings, int length, int rows)
    {
        if (!File.Exists("/proc/self/clear_refs"))
        {
            throw new UserErrorException("--measure reads /proc/self, which only Linux has.");
        }

        // A thread of its own, as the learner has.
        return TorchThreads.Run(settings.Learning.Threads, () =>
        {
            // Before there are larger blocks: what lies in the heap is given out again from there.
            _ = SetAllocator(MmapThreshold, 1 << 16);
            WarmUp(folder, settings);
            long tensors = Grown(() => Train(ModelFolder.Load(folder, CPU, settings.Model.Dtype.Scalar()), settings, length, rows));

            // What the C library comes to by itself when such blocks are freed.
            _ = SetAllocator(MmapThreshold, 32 << 20);
            _ = SetAllocator(TrimThreshold, 64 << 20);
            return new Growth(Grown(() => Train(ModelFolder.Load(folder, CPU, settings.Model.Dtype.Scalar()), settings, length, rows)), tensors);
        });
    }

    private static long Grown(Action work)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _ = TrimAllocator(0);
        File.WriteAllText("/proc/self/clear_refs", "5");
        long before = Status("VmRSS:");
        work();
        return Status("VmHWM:") - before;
    }

    private static void WarmUp(string folder, GhpoSettings settings)
    {
        using (NewDisposeScope())
        {
            // As large as products get: the library keeps its room for them.
            _ = rand(2048, 2048).mm(rand(2048, 2048));
        }

        ModelConfig tiny = ModelConfig.Read(Path.Combine(folder, "config.json")) with
        {
            VocabularySize = 256,
            HiddenSize = 64,
            IntermediateSize = 64,
            Layers = 1,
            Heads = 2,
            KeyValueHeads = 1,
            HeadSize = 32,
        };
        var decoder = new Decoder(tiny, CPU, settings.Model.Dtype.Scalar());
        decoder.Initialise(1);
        Train(new LoadedModel(tiny, decoder, ModelTokenizer.Load(Path.Combine(folder, "tokenizer.json")), [0], folder), settings, length: 32, rows: 2);
    }

    /// <param name="model">The trainer takes it over.</param>
    private static void Train(LoadedModel model, GhpoSettings settings, int length, int rows)
    {
        using var trainer = new PolicyTrainer(
            model, settings.Learning with { MicroBatchTokens = rows * length }, settings.Rewards, temperature: 1, maxNewTokens: length, totalSteps: 2, evaluation: null);
        for (int step = 0; step < 2; step++)
        {
            trainer.Train([Group(step, 0, rows, length, model.Config), Group(step, 1, rows, length, model.Config)]);
        }
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

    /// <summary>Bytes of a line of the process's status.</summary>
    private static long Status(string name)
    {
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return 1024 * long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetAllocator(int parameter, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimAllocator(nint pad);
}
