using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Ghpo.Configuration;
using Microsoft.ML.Tokenizers;

namespace Ghpo.Models;

/// <summary>
/// Byte-level BPE read from a Hugging Face tokenizer.json: the merging is Microsoft.ML.Tokenizers', added tokens and decoding are done here.
/// An added token is recognised in template text alone, and there the longest of those that begin at the same place wins.
/// Where a file asks for normalisation to NFC, text that is not in NFC keeps its form if the runtime's globalization is invariant.
/// </summary>
public sealed class ModelTokenizer : ITokenizer
{
    /// <summary>GPT-2's word pattern, which a ByteLevel pre-tokenizer uses by itself.</summary>
    private const string Gpt2Words = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>U+FFFD in UTF-8.</summary>
    private static readonly byte[] ReplacementCharacter = [0xEF, 0xBF, 0xBD];

    private readonly BpeTokenizer _words;
    private readonly ImmutableDictionary<string, int> _added;
    private readonly Regex? _addedPattern;
    private readonly byte[]?[] _bytes;
    private readonly string?[] _addedNames;
    private readonly bool _normalize;

    private ModelTokenizer(BpeTokenizer words, ImmutableDictionary<string, int> added, byte[]?[] bytes, bool normalize)
    {
        _words = words;
        _added = added;
        _bytes = bytes;
        _normalize = normalize;
        _addedNames = new string?[bytes.Length];
        foreach ((string name, int id) in added)
        {
            _addedNames[id] = name;
        }

        _addedPattern = added.IsEmpty
            ? null
            : new Regex(string.Join('|', added.Keys.OrderByDescending(name => name.Length).Select(Regex.Escape)), RegexOptions.CultureInvariant);
    }

    public int VocabularySize => _bytes.Length;

    /// <exception cref="UserErrorException">The file is missing or malformed, or is no byte-level BPE.</exception>
    public static ModelTokenizer Load(string file)
    {
        var json = TokenizerFile.Read(file);
        var added = json.AddedTokens.ToImmutableDictionary(StringComparer.Ordinal);
        int size = 1 + Math.Max(json.Vocabulary.Values.DefaultIfEmpty(-1).Max(), added.Values.DefaultIfEmpty(-1).Max());
        byte[]?[] bytes = new byte[size][];
        foreach ((string token, int id) in json.Vocabulary)
        {
            bytes[id] = added.ContainsKey(token) ? null : ByteAlphabet.ToBytes(token)
                ?? throw new UserErrorException($"{file}: token {id}, \"{token}\", is not written in the byte alphabet; only byte-level BPE is supported.");
        }

        var options = new BpeOptions(json.Vocabulary)
        {
            Merges = json.Merges,
            ByteLevel = true,
            PreTokenizer = new RegexPreTokenizer(new Regex(json.WordPattern ?? Gpt2Words, RegexOptions.CultureInvariant | RegexOptions.Compiled), null),
        };
        return new ModelTokenizer(BpeTokenizer.Create(options), added, bytes, json.NormalizesNfc);
    }

    public IReadOnlyList<int> EncodeText(string text)
    {
        if (text.Length == 0)
        {
            return [];
        }

        string wellFormed = WellFormed(text);
        return _words.EncodeToIds(
            _normalize ? wellFormed.Normalize(NormalizationForm.FormC) : wellFormed, considerPreTokenization: true, considerNormalization: false);
    }

    public IReadOnlyList<int> EncodeTemplate(string text)
    {
        var ids = new List<int>();
        int start = 0;
        foreach (Match match in _addedPattern?.Matches(text) ?? Enumerable.Empty<Match>())
        {
            ids.AddRange(EncodeText(text[start..match.Index]));
            ids.Add(_added[match.Value]);
            start = match.Index + match.Length;
        }

        ids.AddRange(EncodeText(text[start..]));
        return ids;
    }

    public string Decode(IEnumerable<int> tokens, bool keepSpecial = false)
    {
        var text = new StringBuilder();
        var bytes = new List<byte>();
        foreach (int token in tokens)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(token, nameof(tokens));
            if (token < _bytes.Length && _addedNames[token] is { } name)
            {
                if (keepSpecial)
                {
                    Flush();
                    text.Append(name);
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
            text.Append(Encoding.UTF8.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes)));
            bytes.Clear();
        }
    }

    public int? SpecialToken(string name) => _added.TryGetValue(name, out int id) ? id : null;

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
