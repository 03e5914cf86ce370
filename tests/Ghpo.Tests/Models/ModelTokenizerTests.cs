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
    [InlineData(false, new[] { 300, (int)'c' })]
    [InlineData(true, new[] { 302 })]
    public void A_word_that_is_a_token_is_taken_whole_where_the_file_ignores_merges(bool ignored, int[] expected)
    {
        JsonObject json = TinyJson();
        json["model"]!["vocab"]!["ab"] = 300;
        json["model"]!["vocab"]!["abc"] = 302;
        json["model"]!["merges"] = new JsonArray("a b");
        json["model"]!["ignore_merges"] = ignored;

        Assert.Equal(expected, Load(json).EncodeText("abc"));
    }

    [Fact]
    public void White_space_belongs_to_an_added_token_that_asks_for_it()
    {
        JsonObject json = TinyJson();
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id": 258, "content": "<l>", "lstrip": true}"""));
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id": 259, "content": "<r>", "rstrip": true}"""));

        Assert.Equal(['a', 258, ' ', 'b', ' ', 259, 'c', 258], Load(json).EncodeTemplate("a \t<l> b <r>\n c <l>"));
    }

    [Fact]
    public void A_normalised_token_is_found_after_normalisation_and_a_raw_one_before()
    {
        JsonObject json = TinyJson();
        json["normalizer"] = JsonNode.Parse("""{"type": "NFC"}""");
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id": 258, "content": "<é>", "normalized": true}"""));
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id": 259, "content": "<à>", "normalized": false}"""));

        IReadOnlyList<int> ids = Load(json).EncodeTemplate("<é><e\u0301><à><a\u0300>");
        Assert.Equal([258, 258, 259, '<', 0xc3, 0xa0, '>'], ids);
    }

    [Fact]
    public void Only_special_tokens_are_left_out_of_decoded_text()
    {
        JsonObject json = TinyJson();
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id": 258, "content": "</think>", "special": false}"""));

        Assert.Equal("a</think>b", Load(json).Decode(['a', 258, 'b', 256]));
    }

    [Fact]
    public void The_post_processor_says_what_a_text_begins_with()
    {
        JsonObject json = TinyJson();
        Assert.Empty(Load(json).BeginTokens);
        json["post_processor"] = JsonNode.Parse(
            """{"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|user|>"}}, {"Sequence": {"id": "A"}}]}]}""");
        Assert.Equal([257], Load(json).BeginTokens);
    }

    [Theory]
    [InlineData("e\u0301", "\u00e9")]
    [InlineData("a\u0307\u0323", "\u1ea1\u0307")]
    [InlineData("\u1100\u1161\u11a8\u1100\u1161", "\uac01\uac00")]
    [InlineData("\uac00\u11a8", "\uac01")]
    [InlineData("\u212b\u2126\u0344\u0958", "\u00c5\u03a9\u0308\u0301\u0915\u093c")]
    [InlineData("a\u0301\u0300b\u0301\u0300", "\u00e1\u0300b\u0301\u0300")]
    [InlineData("\u0301\u0041\u030a", "\u0301\u00c5")]
    [InlineData("\ud804\udd31\ud804\udd27", "\ud804\udd2e")]
    [InlineData("plain, größer 漢字🧮", "plain, größer 漢字🧮")]
    public void Normalisation_composes_what_belongs_together(string text, string expected) => Assert.Equal(expected, CanonicalComposition.Apply(text));

    [Theory]
    [InlineData("added_tokens", """[{"id": 256, "content": "<a>"}, {"id": 257, "content": "<a>"}]""", "\"<a>\" twice, as 256 and as 257")]
    [InlineData("added_tokens", """[{"id": 256, "content": "<a>"}, {"id": 256, "content": "<b>"}]""", "id 256 to \"<a>\" and to \"<b>\"")]
    [InlineData("added_tokens", """[{"id": 65, "content": "<a>"}]""", "id 65 is \"<a>\" in added_tokens and \"A\" in model.vocab")]
    [InlineData("added_tokens", """[{"id": 256, "content": "A"}]""", "\"A\" has id 256 in added_tokens and 65 in model.vocab")]
    [InlineData("added_tokens", """[{"id": 256, "content": "<a>", "single_word": true}]""", "single_word for \"<a>\"")]
    [InlineData("added_tokens", """[{"id": 2000000000, "content": "<a>"}]""", "which is not a token id")]
    [InlineData("added_tokens", """[7]""", "lacks content or id")]
    [InlineData("model", """{"type": "BPE", "vocab": {"a": 0, "a": 1}, "merges": []}""", "the token \"a\" twice")]
    [InlineData("model", """{"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}""", "id 0 to \"a\" and to \"b\"")]
    [InlineData("model", """{"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]}""", "do not fit together")]
    [InlineData("model", """{"type": "BPE", "vocab": {"a": 0}, "merges": [], "byte_fallback": true}""", "byte_fallback")]
    [InlineData("model", """{"type": "BPE", "vocab": {"a": 0}, "merges": [], "end_of_word_suffix": "</w>"}""", "end_of_word_suffix")]
    [InlineData("pre_tokenizer", """{"type": "Sequence", "pretokenizers": [{"type": "Split", "behavior": "Isolated", "pattern": {"Regex": "(["}}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}""", "pattern cannot be used")]
    [InlineData("post_processor", """{"type": "BertProcessing"}""", "post_processor.type")]
    [InlineData("post_processor", """{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "<|end|>"}}]}""", "post_processor.single")]
    [InlineData("model", """{"type": "WordPiece", "vocab": {}}""", "model.type")]
    [InlineData("model", """{"type": "BPE", "merges": []}""", "model.vocab")]
    [InlineData("model", """{"type": "BPE", "vocab": {"a": 0}}""", "model.merges")]
    [InlineData("model", """{"type": "BPE", "vocab": {"▁a": 0}, "merges": []}""", "byte alphabet")]
    [InlineData("normalizer", """{"type": "Lowercase"}""", "normalizer.type")]
    [InlineData("pre_tokenizer", """{"type": "Whitespace"}""", "pre_tokenizer")]
    public void What_it_cannot_do_exactly_is_refused_by_key(string key, string value, string expected)
    {
        JsonObject json = TinyJson();
        json[key] = "here";

        // As text: a node would not hold a key twice.
        File.WriteAllText(_folder["tokenizer.json"], json.ToJsonString().Replace("\"here\"", value, StringComparison.Ordinal));
        string message = Assert.Throws<UserErrorException>(() => ModelTokenizer.Load(_folder["tokenizer.json"])).Message;
        Assert.StartsWith(_folder["tokenizer.json"], message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
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
