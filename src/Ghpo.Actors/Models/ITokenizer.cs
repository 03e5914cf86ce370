namespace Ghpo.Models;

/// <summary>Text to token ids and back. Thread-safe.</summary>
public interface ITokenizer
{
    int VocabularySize { get; }

    /// <summary>Encodes text that may hold special tokens by their names (<c>&lt;|im_end|&gt;</c>), as template text does.</summary>
    IReadOnlyList<int> EncodeTemplate(string text);

    /// <summary>Encodes text of users, data or models: nothing in it becomes a special token.</summary>
    IReadOnlyList<int> EncodeText(string text);

    /// <summary>
    /// Encodes a prompt. A tokenizer that merges over the border of two parts, where no added token stands between them, treats them as one text, as a
    /// chat client's tokenizer does.
    /// </summary>
    IReadOnlyList<int> EncodePrompt(IReadOnlyList<PromptPart> parts) => [.. parts.SelectMany(part => part.IsTemplate ? EncodeTemplate(part.Text) : EncodeText(part.Text))];

    /// <summary>Decodes tokens; special tokens appear by their names if <paramref name="keepSpecial"/>, else not at all.</summary>
    string Decode(IEnumerable<int> tokens, bool keepSpecial = false);

    /// <summary>Id of a special or added token; null if there is none of that name.</summary>
    int? SpecialToken(string name);
}
