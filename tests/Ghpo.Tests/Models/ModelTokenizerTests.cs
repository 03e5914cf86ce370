using System.Text.Json.Nodes;
using Ghpo.Configuration;
using Ghpo.Models;
using Xunit;

namespace Ghpo.Tests.Models;

public sealed class ModelTokenizerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("12+30*4=132\n")]
    [InlineData("  two  spaces, it's  ")]
    [InlineData("größer ω≥½ 漢字 🧮👩‍👩‍👧 \r\n\t\0")]
    public void Text_becomes_its_UTF8_bytes_and_comes_back(string text)
    {
        ModelTokenizer tokenizer = Tiny();

        IReadOnlyList<int> ids = tokenizer.EncodeText(text);
        Assert.Equal(System.Text.Encoding.UTF8.GetBytes(text).Select(value => (int)value), ids);
        Assert.Equal(text, tokenizer.Decode(ids));
    }

    [Fact]
    public void Every_byte_has_its_own_token()
    {
        ModelTokenizer tokenizer = Tiny();

        Assert.Equal(258, tokenizer.VocabularySize);
        Assert.Equal("\uFFFD", tokenizer.Decode([0xff]));
        Assert.Equal("é", tokenizer.Decode([0xc3, 0xa9]));
    }

    [Fact]
    public void Special_tokens_come_from_template_text_alone()
    {
        ModelTokenizer tokenizer = Tiny();

        Assert.Equal([257, 'h', 'i', 256], tokenizer.EncodeTemplate("<|user|>hi<|end|>"));
        Assert.Equal("<|user|>hi<|end|>".Select(character => (int)character), tokenizer.EncodeText("<|user|>hi<|end|>"));
        Assert.Equal(256, tokenizer.SpecialToken("<|end|>"));
        Assert.Null(tokenizer.SpecialToken("<|system|>"));
    }

    [Fact]
    public void Special_tokens_are_decoded_by_name_or_not_at_all()
    {
        ModelTokenizer tokenizer = Tiny();

        Assert.Equal("hi", tokenizer.Decode([257, 'h', 'i', 256]));
        Assert.Equal("<|user|>hi<|end|>", tokenizer.Decode([257, 'h', 'i', 256], keepSpecial: true));
    }

    [Fact]
    public void A_sampled_id_without_a_token_shows_as_a_replacement_character() =>
        Assert.Equal("a\uFFFDb", Tiny().Decode(['a', 299, 'b']));

    [Fact]
    public void A_special_token_does_not_join_the_halves_of_a_character() =>
        Assert.Equal("\uFFFD<|end|>\uFFFD", Tiny().Decode([0xc3, 256, 0xa9], keepSpecial: true));

    [Fact]
    public void Half_a_surrogate_pair_is_encoded_as_a_replacement_character()
    {
        ModelTokenizer tokenizer = Tiny();

        Assert.Equal("a\uFFFDb", tokenizer.Decode(tokenizer.EncodeText("a\ud83db")));
    }

    [Fact]
    public void Many_threads_may_encode_at_once()
    {
        ModelTokenizer tokenizer = Tiny();

        Parallel.For(0, 64, index =>
        {
            string text = string.Concat(Enumerable.Range(0, 200).Select(word => $"w{(word * index) % 97} "));
            Assert.Equal(text, tokenizer.Decode(tokenizer.EncodeText(text)));
        });
    }

    [Fact]
    public void Pairs_merge_in_the_order_of_the_list_within_a_word()
    {
        JsonObject json = TinyJson();
        json["model"]!["vocab"]!["ab"] = 300;
        json["model"]!["vocab"]!["bc"] = 301;
        json["model"]!["vocab"]!["abc"] = 302;
        json["model"]!["merges"] = new JsonArray("b c", new JsonArray("a", "bc"), "a b");
        ModelTokenizer tokenizer = Load(json);

        Assert.Equal([302, 300, 'a'], tokenizer.EncodeText("abcaba"));
        Assert.Equal([300, ' ', 'c'], tokenizer.EncodeText("ab c"));
        Assert.Equal("abcab c", tokenizer.Decode(tokenizer.EncodeText("abcab c")));
    }

    [Fact]
    public void The_longest_added_token_wins()
    {
        JsonObject json = TinyJson();
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id": 258, "content": "<|end|>>", "special": false}"""));

        Assert.Equal([258, 256, 'x'], Load(json).EncodeTemplate("<|end|>><|end|>x"));
    }

    [Theory]
    [InlineData("model", """{"type": "WordPiece", "vocab": {}}""", "model.type")]
    [InlineData("model", """{"type": "BPE", "merges": []}""", "model.vocab")]
    [InlineData("model", """{"type": "BPE", "vocab": {"a": 0}}""", "model.merges")]
    [InlineData("model", """{"type": "BPE", "vocab": {"▁a": 0}, "merges": []}""", "byte alphabet")]
    [InlineData("normalizer", """{"type": "Lowercase"}""", "normalizer.type")]
    [InlineData("pre_tokenizer", """{"type": "Whitespace"}""", "pre_tokenizer")]
    public void What_it_cannot_do_exactly_is_refused_by_key(string key, string value, string expected)
    {
        JsonObject json = TinyJson();
        json[key] = JsonNode.Parse(value);

        Assert.Contains(expected, Assert.Throws<UserErrorException>(() => Load(json)).Message, StringComparison.Ordinal);
    }

    private ModelTokenizer Tiny()
    {
        TinyTokenizer.Write(_folder.Path, ["<|end|>", "<|user|>"], "", "<|end|>");
        return ModelTokenizer.Load(_folder["tokenizer.json"]);
    }

    private JsonObject TinyJson()
    {
        Tiny();
        return JsonNode.Parse(File.ReadAllText(_folder["tokenizer.json"]))!.AsObject();
    }

    private ModelTokenizer Load(JsonObject json)
    {
        File.WriteAllText(_folder["tokenizer.json"], json.ToJsonString());
        return ModelTokenizer.Load(_folder["tokenizer.json"]);
    }
}
