using Ghpo.Models;

namespace Ghpo.Node.Pretraining;

/// <summary>What <c>ghpo pretrain</c> can be told.</summary>
/// <param name="Out">Folder to write the model to.</param>
/// <param name="Seed">Seed of the initial weights and of the training problems.</param>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="Batch">Sequences a step.</param>
/// <param name="Width">d, width of the residual stream.</param>
/// <param name="Layers">Number of layers.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KeyValueHeads">Key and value heads; divides <paramref name="Heads"/>.</param>
/// <param name="FeedForward">Inner width of the feed-forward block.</param>
/// <param name="Type">Decoder family.</param>
/// <param name="Rate">Peak learning rate.</param>
/// <param name="HintedShare">Share of the sequences that carry a hint.</param>
/// <param name="MaxOperations">The most operations of a problem.</param>
/// <param name="Skill">Probability that a multiplication is carried out as one, and not taken for an addition.</param>
/// <param name="From">Model folder to go on from; empty: from scratch. Its shape counts then.</param>
/// <param name="Threads">Torch threads.</param>
/// <param name="Problems">Problems of each number of operations that the accuracy in the README is measured on.</param>
public sealed record PretrainOptions(
    string Out,
    long Seed = 1,
    int Steps = 2000,
    int Batch = 64,
    int Width = 96,
    int Layers = 3,
    int Heads = 4,
    int KeyValueHeads = 2,
    int FeedForward = 256,
    ModelType Type = ModelType.Qwen2,
    double Rate = 3e-3,
    double HintedShare = 0.5,
    int MaxOperations = 8,
    double Skill = 0.3,
    string From = "",
    int Threads = 1,
    int Problems = 300)
{
    /// <summary>The command that these options stand for.</summary>
    public string CommandLine => FormattableString.Invariant(
        $"ghpo pretrain --out {Out} --seed {Seed} --steps {Steps} --batch {Batch} --width {Width} --layers {Layers} --heads {Heads} --kv-heads {KeyValueHeads} --feed-forward {FeedForward} --type {Type.ToString().ToLowerInvariant()} --rate {Rate} --hinted-share {HintedShare} --max-operations {MaxOperations} --skill {Skill}{(From.Length > 0 ? $" --from {From}" : "")} --threads {Threads}");
}
