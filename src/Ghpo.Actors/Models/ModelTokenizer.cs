using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Ghpo.Configuration;
using Microsoft.ML.Tokenizers;

namespace Ghpo.Models;

/// <summary>
/// Byte-level BPE read from a Hugging Face tokenizer.json: the merging is Microsoft.ML.Tokenizers'; normalisation, cutting into words, added tokens and
/// decoding are done here. An added token is recognised in template text alone.
/// </summary>
public sealed class ModelTokenizer : ITokenizer
{
    /// <summary>U+FFFD in UTF-8.</summary>
    private static readonly byte[] ReplacementCharacter = [0xEF, 0xBF, 0xBD];

    private readonly TokenizerFile _file;
    private readonly WordSplitter _words;
    private readonly BpeTokenizer _merges;
    private readonly AddedTokens _plain;
    private readonly AddedTokens _normalized;
    private readonly byte[]?[] _bytes;
    private readonly AddedToken?[] _added;
    private readonly Dictionary<string, int> _idOfAdded;

    private ModelTokenizer(TokenizerFile file, BpeTokenizer merges, byte[]?[] bytes)
    {
        _file = file;
        _words = new WordSplitter(file.WordPattern, file.Path);
        _merges = merges;
        _plain = new AddedTokens(file.AddedTokens.Where(token => !token.Normalized));
        _normalized = new AddedTokens(file.AddedTokens.Where(token => token.Normalized));
        _bytes = bytes;
        _added = new AddedToken?[bytes.Length];
        foreach (AddedToken token in file.AddedTokens)
        {
            _added[token.Id] = token;
        }

        _idOfAdded = file.AddedTokens.ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
    }

    public int VocabularySize => _bytes.Length;

    /// <summary>Tokens that the file's post-processor puts before a text: Llama 3's <c>&lt;|begin_of_text|></c>, nothing for Qwen.</summary>
    public ImmutableArray<int> BeginTokens => _file.BeginTokens;

    /// <exception cref="UserErrorException">The file is missing or malformed, or is no byte-level BPE.</exception>
    public static ModelTokenizer Load(string file)
    {
        var json = TokenizerFile.Read(file);
        var added = json.AddedTokens.Select(token => token.Id).ToHashSet();
        byte[]?[] bytes = new byte[1 + json.Vocabulary.Values.Concat(added).DefaultIfEmpty(-1).Max()][];
        foreach ((string token, int id) in json.Vocabulary)
        {
            bytes[id] = added.Contains(id) ? null : ByteAlphabet.ToBytes(token)
                ?? throw new UserErrorException($"{file}: token {id}, \"{token}\", is not written in the byte alphabet; only byte-level BPE is supported.");
        }

        try
        {
            return new ModelTokenizer(json, BpeTokenizer.Create(new BpeOptions(json.Vocabulary) { Merges = json.Merges, ByteLevel = true }), bytes);
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException)
        {
            throw new UserErrorException($"{file}: model.merges and model.vocab do not fit together: {error.Message}");
        }
    }

    public IReadOnlyList<int> EncodeText(string text)
    {
        var ids = new List<int>();
        AddWords(Normalize(WellFormed(text)), ids);
        return ids;
    }

    public IReadOnlyList<int> EncodeTemplate(string text)
    {
        var ids = new List<int>();
        foreach ((string piece, AddedToken? token) in _plain.Split(WellFormed(text)))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
                continue;
            }

            foreach ((string words, AddedToken? normalized) in _normalized.Split(Normalize(piece)))
            {
                if (normalized is not null)
                {
                    ids.Add(normalized.Id);
                }
                else
                {
                    AddWords(words, ids);
                }
            }
        }

        return ids;
    }

    public IReadOnlyList<int> EncodePrompt(IReadOnlyList<PromptPart> parts)
    {
        var ids = new List<int>();
        var text = new StringBuilder();
        foreach (PromptPart part in parts)
        {
            if (!part.IsTemplate)
            {
                text.Append(part.Text);
                continue;
            }

            foreach ((string piece, AddedToken? token) in _plain.Split(part.Text).SelectMany(plain => plain.Token is null ? _normalized.Split(plain.Text) : [plain]))
            {
                text.Append(piece);
                if (token is not null)
                {
                    Flush();
                    ids.Add(token.Id);
                }
            }
        }

        Flush();
        return ids;

        void Flush()
        {
            ids.AddRange(EncodeText(text.ToString()));
            text.Clear();
        }
    }

    public string Decode(IEnumerable<int> tokens, bool keepSpecial = false)
    {
        var text = new StringBuilder();
        var bytes = new List<byte>();
        foreach (int token in tokens)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(token, nameof(tokens));
            if (token < _bytes.Length && _added[token] is { } added)
            {
                if (keepSpecial || !added.Special)
                {
                    Flush();
                    text.Append(added.Content);
                }
            }
            else
            {
                // A model's vocabulary may be padded beyond the tokenizer's; what it samples there stays visible.
                bytes.AddRange(token < _bytes.Length && _bytes[token] is { } known ? known : ReplacementCharacter);
            }
        }

        Flush();
        return text.ToString();

        // A character may span several tokens, so bytes become text only where a run of them ends.
        void Flush()
        {
            text.Append(Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(bytes)));
            bytes.Clear();
        }
    }

    public int? SpecialToken(string name) => _idOfAdded.TryGetValue(name, out int id) ? id : null;

    private void AddWords(string text, List<int> ids)
    {
        foreach (string word in _words.Split(text))
        {
            if (_file.IgnoresMerges && _file.Vocabulary.TryGetValue(ByteAlphabet.Of(Encoding.UTF8.GetBytes(word)), out int whole))
            {
                ids.Add(whole);
            }
            else
            {
                ids.AddRange(_merges.EncodeToIds(word, considerPreTokenization: false, considerNormalization: false));
            }
        }
    }

    private string Normalize(string text) => _file.NormalizesNfc ? CanonicalComposition.Apply(text) : text;

    /// <summary>Half a surrogate pair has no UTF-8 bytes: it becomes U+FFFD, as in every conversion to UTF-8.</summary>
    private static string WellFormed(string text)
    {
        for (int index = 0; index < text.Length; index++)
        {
            if (!char.IsSurrogate(text[index]))
            {
                continue;
            }

            if (!char.IsSurrogatePair(text, index))
            {
                return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
            }

            index++;
        }

        return text;
    }
}
