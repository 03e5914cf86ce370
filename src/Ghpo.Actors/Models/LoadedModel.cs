namespace Ghpo.Models;

/// <summary>A model folder in memory. Owns the decoder.</summary>
/// <param name="StopTokens">Tokens that end an answer; never empty.</param>
/// <param name="Folder">Where it was read from; tokenizer files are copied from there on a save.</param>
public sealed record LoadedModel(ModelConfig Config, Decoder Decoder, ITokenizer Tokenizer, IReadOnlyList<int> StopTokens, string Folder) : IDisposable
{
    public void Dispose() => Decoder.Dispose();
}
