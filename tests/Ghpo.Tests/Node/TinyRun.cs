using Ghpo.Models;
using Ghpo.Node.Commands;
using Ghpo.Problems;
using Ghpo.Tests.Learning;
using static TorchSharp.torch;

namespace Ghpo.Tests.Node;

/// <summary>The command line with a random model and a folder of its own: whole runs through the production pipeline in a few seconds.</summary>
internal sealed class TinyRun : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TinyRun()
    {
        Directory.CreateDirectory(Model);
        TinyTokenizer.Write(Model, CompactTokens.All, CompactTokens.ChatTemplate, CompactTokens.End);
        ModelConfig config = Samples.Model with { MaxPositions = 2048 };
        using var decoder = new Decoder(config, CPU, ScalarType.Float32);
        decoder.Initialise(3);
        ModelFolder.Save(Model, config, decoder, Model);
    }

    public string Root => _folder.Path;

    /// <summary>A Hugging Face folder of two layers of width 16, nothing learned.</summary>
    public string Model => Path.Combine(Root, "model");

    /// <summary>Where runs go.</summary>
    public string Runs => Path.Combine(Root, "runs");

    /// <returns>The file's full path.</returns>
    public string Write(string name, string text)
    {
        string path = Path.Combine(Root, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>The arguments of <c>ghpo train</c> for one step of four groups of two answers, before any of the test's own.</summary>
    public string[] TrainArguments(params string[] own) =>
    [
        "train", "--plain", "--run", "tiny", "--set", "run.steps=1", "--set", $"run.folder={Runs}", "--set", $"model.path={Model}",
        "--set", "curriculum.groups-per-step=4", "--set", "rollout.group-size=2", "--set", "rollout.slots=8", "--set", "rollout.max-new-tokens=8",
        "--set", "rollout.workers=1", "--set", "learning.threads=1", .. own,
    ];

    public Task<(int ExitCode, string Output, string Error)> Train(params string[] own) => Run(TrainArguments(own));

    public static async Task<(int ExitCode, string Output, string Error)> Run(params string[] arguments)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        return (await GhpoCommandLine.RunAsync(arguments, TextWriter.Synchronized(output), error), output.ToString(), error.ToString());
    }

    public void Dispose() => _folder.Dispose();
}
