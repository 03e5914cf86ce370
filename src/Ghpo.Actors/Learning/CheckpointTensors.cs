using Ghpo.Models;
using static TorchSharp.torch;

namespace Ghpo.Learning;

/// <summary>
/// Tensors of a checkpoint's file, checked against those that they are to replace before the first one is replaced: the file may be whole
/// and yet belong to another model.
/// </summary>
internal sealed class CheckpointTensors : IDisposable
{
    private readonly SafetensorsFile _file;
    private readonly KeyValuePair<string, Tensor>[] _targets;

    /// <param name="targets">Overwritten in place by <see cref="CopyToTargets"/>.</param>
    /// <exception cref="InvalidCheckpointException">A tensor is missing or superfluous, or has another shape or type; names it.</exception>
    public CheckpointTensors(string path, IEnumerable<KeyValuePair<string, Tensor>> targets)
    {
        _targets = [.. targets];
        _file = SafetensorsFile.Open(path);
        string? mismatch = Mismatch();
        if (mismatch is not null)
        {
            _file.Dispose();
            throw new InvalidCheckpointException($"{path} belongs to another model: {mismatch}. Load it with the model that it was trained from.");
        }
    }

    public void CopyToTargets()
    {
        using var noGradient = no_grad();
        foreach ((string name, Tensor target) in _targets)
        {
            using Tensor stored = _file.Read(name);
            target.copy_(stored);
        }
    }

    public void Dispose() => _file.Dispose();

    private string? Mismatch()
    {
        foreach ((string name, Tensor target) in _targets)
        {
            if (!_file.Entries.TryGetValue(name, out SafetensorsEntry? entry))
            {
                return $"it has no tensor {name}";
            }

            if (!entry.Shape.AsSpan().SequenceEqual(target.shape) || entry.Dtype != target.dtype)
            {
                return $"tensor {name} is {entry.Dtype} [{string.Join(", ", entry.Shape)}], expected {target.dtype} [{string.Join(", ", target.shape)}]";
            }
        }

        string? superfluous = _file.Entries.Keys.Except(_targets.Select(target => target.Key)).FirstOrDefault();
        return superfluous is null ? null : $"its tensor {superfluous} is none of this one's";
    }
}
