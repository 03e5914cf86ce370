using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ghpo.Learning;

/// <summary>
/// <c>state.json</c> of a checkpoint: what the other files are, so that a missing, cut or altered one is noticed before anything is loaded.
/// </summary>
/// <param name="Format">Version of this layout.</param>
/// <param name="Version">Steps folded since the base model.</param>
/// <param name="OptimizerSteps">Adam's t.</param>
/// <param name="Files">SHA-256 of every other file, in lower-case hex, by path within the folder.</param>
/// <param name="Digest">SHA-256 over all of the above, so that this file guards itself.</param>
internal sealed record CheckpointState(int Format, int Version, int OptimizerSteps, SortedDictionary<string, string> Files, string Digest)
{
    public const string FileName = "state.json";

    private const int CurrentFormat = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        WriteIndented = true,
    };

    /// <summary>Hashes the files of <paramref name="folder"/> and writes the state beside them.</summary>
    public static CheckpointState Write(string folder, int version, int optimizerSteps)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            files.Add(Path.GetRelativePath(folder, path).Replace('\\', '/'), HashOf(path));
        }

        var state = new CheckpointState(CurrentFormat, version, optimizerSteps, files, DigestOf(CurrentFormat, version, optimizerSteps, files));
        File.WriteAllText(Path.Combine(folder, FileName), JsonSerializer.Serialize(state, Json) + "\n");
        return state;
    }

    /// <summary>Reads the state of <paramref name="folder"/> and checks every file that it names.</summary>
    /// <exception cref="InvalidCheckpointException">A file is missing, truncated or altered; names it.</exception>
    public static CheckpointState ReadVerified(string folder)
    {
        string statePath = Path.Combine(folder, FileName);
        if (!File.Exists(statePath))
        {
            throw new InvalidCheckpointException($"{statePath} is missing: {folder} is no complete checkpoint. Use an earlier one.");
        }

        CheckpointState state = Read(statePath);
        foreach ((string name, string hash) in state.Files)
        {
            string path = Path.Combine(folder, name);
            if (!File.Exists(path))
            {
                throw new InvalidCheckpointException($"{path} is missing. Use an earlier checkpoint.");
            }

            if (HashOf(path) != hash)
            {
                throw new InvalidCheckpointException(
                    $"{path} ({new FileInfo(path).Length} bytes) is truncated or altered: its SHA-256 is not the one recorded in {FileName}. Use an earlier checkpoint.");
            }
        }

        return state;
    }

    private static CheckpointState Read(string path)
    {
        CheckpointState? state;
        try
        {
            state = JsonSerializer.Deserialize<CheckpointState>(File.ReadAllText(path), Json);
        }
        catch (JsonException error)
        {
            throw new InvalidCheckpointException($"{path} is truncated or altered: {error.Message} Use an earlier checkpoint.");
        }

        if (state is null || state.Digest != DigestOf(state.Format, state.Version, state.OptimizerSteps, state.Files))
        {
            throw new InvalidCheckpointException($"{path} is altered: its digest does not match its content. Use an earlier checkpoint.");
        }

        if (state.Format != CurrentFormat)
        {
            throw new InvalidCheckpointException($"{path} has checkpoint format {state.Format}; this program reads format {CurrentFormat}.");
        }

        return state;
    }

    private static string DigestOf(int format, int version, int optimizerSteps, SortedDictionary<string, string> files)
    {
        var text = new StringBuilder().Append($"{format}\n{version}\n{optimizerSteps}\n");
        foreach ((string name, string hash) in files.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            text.Append($"{name} {hash}\n");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static string HashOf(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
