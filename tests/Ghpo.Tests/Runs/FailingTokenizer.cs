using Ghpo.Models;

namespace Ghpo.Tests.Runs;

/// <summary>A tokenizer that cannot decode some answers, as a verifier that trips over its input.</summary>
internal sealed class FailingTokenizer(ITokenizer inner, Func<int[], bool> trips) : ITokenizer
{
    public int VocabularySize => inner.VocabularySize;

    public IReadOnlyList<int> EncodeTemplate(string text) => inner.EncodeTemplate(text);

    public IReadOnlyList<int> EncodeText(string text) => inner.EncodeText(text);

    public string Decode(IEnumerable<int> tokens, bool keepSpecial = false)
    {
        int[] all = [.. tokens];
        return trips(all) ? throw new InvalidDataException("this answer cannot be decoded") : inner.Decode(all, keepSpecial);
    }

    public int? SpecialToken(string name) => inner.SpecialToken(name);
}
