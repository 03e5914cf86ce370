using System.Text;
using Ghpo.Models;

namespace Ghpo.Tests.Problems;

/// <summary>One token a UTF-8 byte, and special tokens from 256 on.</summary>
internal sealed class ByteTokenizer(params string[] special) : ITokenizer
{
    public int VocabularySize => 256 + special.Length;

    public IReadOnlyList<int> EncodeText(string text) => [.. Encoding.UTF8.GetBytes(text).Select(b => (int)b)];

    public IReadOnlyList<int> EncodeTemplate(string text)
    {
        var tokens = new List<int>();
        int start = 0;
        for (int i = 0; i < text.Length;)
        {
            int found = Array.FindIndex(special, name => text.AsSpan(i).StartsWith(name));
            if (found < 0)
            {
                i++;
                continue;
            }

            tokens.AddRange(EncodeText(text[start..i]));
            tokens.Add(256 + found);
            start = i += special[found].Length;
        }

        tokens.AddRange(EncodeText(text[start..]));
        return tokens;
    }

    public string Decode(IEnumerable<int> tokens, bool keepSpecial = false)
    {
        var text = new StringBuilder();
        var bytes = new List<byte>();
        foreach (int token in tokens)
        {
            if (token < 256)
            {
                bytes.Add((byte)token);
                continue;
            }

            text.Append(Encoding.UTF8.GetString([.. bytes]));
            bytes.Clear();
            text.Append(keepSpecial ? special[token - 256] : "");
        }

        return text.Append(Encoding.UTF8.GetString([.. bytes])).ToString();
    }

    public int? SpecialToken(string name) => Array.IndexOf(special, name) is int index and >= 0 ? 256 + index : null;
}
