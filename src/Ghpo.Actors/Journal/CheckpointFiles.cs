using System.Collections.Immutable;
using Ghpo.Learning;
using Ghpo.Models;
using Ghpo.Policy;
using TorchSharp;
using static Ghpo.Learning.LearnerProtocol;
using static TorchSharp.torch;

namespace Ghpo.Journal;

/// <summary>The checkpoints on disk against those in the journal.</summary>
internal static class CheckpointFiles
{
    private const string WeightsFile = "model.safetensors";

    /// <summary>Compares every checkpoint that the run keeps with the journal.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="taken">Those in the journal, as far as it was read.</param>
    /// <param name="hashes">Hash of the weights after each step.</param>
    /// <param name="deterministic">The weights must be those that the journal names: a run that promises less may have folded a step again into others.</param>
    /// <returns>How many were compared, and a sentence for each that is not what the journal says.</returns>
    internal static (int Compared, ImmutableArray<string> Faults) Compare(
        JournalReader journal, string folder, int keep, IEnumerable<CheckpointTaken> taken, IReadOnlyDictionary<int, string> hashes, bool deterministic)
    {
        int compared = 0;
        var faults = ImmutableArray.CreateBuilder<string>();
        foreach (CheckpointTaken checkpoint in Kept(taken, keep))
        {
            if (!hashes.TryGetValue(checkpoint.NextStep - 1, out string? hash))
            {
                continue;
            }

            compared++;
            string? fault = FaultOf(folder, checkpoint, deterministic ? hash : null);

            // A live run may have taken another one meanwhile, and deleted this.
            if (fault is not null && Kept(Newest(), keep).Contains(checkpoint))
            {
                faults.Add(fault);
            }
        }

        return (compared, faults.ToImmutable());

        IEnumerable<CheckpointTaken> Newest() =>
            journal.Events(LearnerActor.JournalId, [.. GhpoEventSerializer.ManifestsOf(typeof(CheckpointTaken))]).OfType<CheckpointTaken>();
    }

    /// <param name="folder">The run folder.</param>
    /// <param name="policyHash">What the journal says of the weights after the last step in the checkpoint; null: they may differ.</param>
    /// <remarks>A checkpoint of adapters holds no whole weights to compare with that hash; its digest stands for it.</remarks>
    /// <returns>What is wrong with it; null: every file is whole, and they are those that the journal names.</returns>
    private static string? FaultOf(string folder, CheckpointTaken taken, string? policyHash)
    {
        string path = Path.Combine(folder, taken.Folder);
        CheckpointState state;
        try
        {
            state = CheckpointState.ReadVerified(path);
        }
        catch (InvalidCheckpointException damage)
        {
            return damage.Message;
        }

        return state.Digest != taken.Hash || state.Version != taken.NextStep
            ? $"{path} is not the checkpoint that the journal names: it is of v{state.Version} with digest {state.Digest}, the journal has v{taken.NextStep} with {taken.Hash}"
            : policyHash is not null && state.Files.ContainsKey(WeightsFile) && PolicyHashOf(path) is var found && found != policyHash
                ? $"{path} holds weights {found}, but the journal has {policyHash} after step {taken.NextStep - 1}"
                : null;
    }

    /// <summary>A step that was checkpointed again replaces what came after it, as for the learner.</summary>
    private static ImmutableArray<CheckpointTaken> Kept(IEnumerable<CheckpointTaken> taken, int keep) =>
        taken.Aggregate(LearnerState.Empty, (state, one) => state.Apply(one)).KeptCheckpoints(keep);

    private static string PolicyHashOf(string checkpoint)
    {
        using DisposeScope scope = NewDisposeScope();
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(checkpoint, WeightsFile));
        return PolicyHash.Of(file.Entries.Keys.ToDictionary(name => name, file.Read));
    }
}
