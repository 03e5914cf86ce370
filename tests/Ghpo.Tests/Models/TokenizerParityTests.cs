using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Ghpo.Models;
using Xunit;

namespace Ghpo.Tests.Models;

/// <summary>Against what the Hugging Face library gives for the same tokenizer.json, as tests/oracles/tokenizers.mjs recorded it.</summary>
public sealed class TokenizerParityTests
{
    private static readonly Dictionary<string, string[]> Fields = new()
    {
        ["math"] = ["problem", "solution"],
        ["gsm8k"] = ["question", "answer"],
    };

    [Theory]
    [InlineData("qwen3")]
    [InlineData("llama3")]
    public void All_of_MATH_and_GSM8K_get_the_oracles_ids_and_come_back(string name)
    {
        ModelTokenizer tokenizer = OracleTokenizers.Load(name);
        using JsonDocument recorded = JsonDocument.Parse(File.ReadAllText(Fixture.Path("tokenizer-data.json")));
        foreach (JsonProperty file in recorded.RootElement.GetProperty(name).EnumerateObject())
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long tokens = 0;
            foreach (string line in File.ReadLines(SharedData.Require(file.Name)).Where(line => !string.IsNullOrWhiteSpace(line)))
            {
                using JsonDocument record = JsonDocument.Parse(line);
                foreach (string field in Fields[file.Name.Split('/')[0]])
                {
                    string text = record.RootElement.GetProperty(field).GetString()!;
                    IReadOnlyList<int> ids = tokenizer.EncodeTemplate(text);
                    hash.AppendData(MemoryMarshal.AsBytes<int>([ids.Count, .. ids]));
                    tokens += ids.Count;
                    Assert.Equal(text, tokenizer.Decode(ids, keepSpecial: true));
                }
            }

            Assert.Equal(file.Value.GetProperty("tokens").GetInt64(), tokens);
            Assert.Equal(file.Value.GetProperty("sha256").GetString(), Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
    }

    [Theory]
    [InlineData("qwen3")]
    [InlineData("llama3")]
    public void Random_Unicode_gets_the_oracles_ids_and_comes_back(string name)
    {
        ModelTokenizer tokenizer = OracleTokenizers.Load(name);
        var different = new List<string>();
        int lines = 0;
        foreach (string line in File.ReadLines(Environment.GetEnvironmentVariable("GHPO_TEST_TOKENIZER_FUZZ") ?? Fixture.Path("tokenizer-fuzz.jsonl")))
        {
            using JsonDocument record = JsonDocument.Parse(line);
            string text = record.RootElement.GetProperty("text").GetString()!;
            int[] expected = [.. record.RootElement.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
            IReadOnlyList<int> ids = tokenizer.EncodeTemplate(text);
            lines++;
            if (!ids.SequenceEqual(expected))
            {
                different.Add($"{JsonSerializer.Serialize(text)}: {string.Join(' ', ids)}, the oracle {string.Join(' ', expected)}");
            }

            // Qwen's tokenizer normalises what stands between two special tokens before it encodes.
            string decoded = tokenizer.Decode(ids, keepSpecial: true);
            Assert.Equal(name == "qwen3" ? CanonicalComposition.Apply(text) : text, name == "qwen3" ? CanonicalComposition.Apply(decoded) : decoded);
        }

        Assert.True(different.Count == 0, $"{different.Count} of {lines} differ:\n{string.Join('\n', different.Take(40))}");
        Assert.True(lines >= 300);
    }
}
