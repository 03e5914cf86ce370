using System.Text.Json;
using Ghpo.Configuration;
using Ghpo.Models;
using Ghpo.Problems;
using Ghpo.Tests.Models;
using Xunit;

namespace Ghpo.Tests.Problems;

/// <summary>Against what models' own Jinja templates render, as tests/oracles/chat-templates.mjs recorded it; and templates of users.</summary>
public sealed class ChatTemplateTests
{
    private const string Qwen25Like =
        "{%- if messages[0]['role'] == 'system' %}{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}{%- else %}" +
        "{{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}{%- endif %}" +
        "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}{%- endfor %}" +
        "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}";

    [Theory]
    [InlineData("qwen3")]
    [InlineData("llama3")]
    public void A_built_in_template_gives_the_text_of_the_models_own(string name)
    {
        PromptTemplate template = name == "qwen3" ? PromptTemplate.Chatml : PromptTemplate.Llama3;
        int compared = 0;
        foreach ((string system, string user, string text) in Recorded(name))
        {
            Assert.Equal(text, template.RenderText(system, user, "", ""));
            compared++;
        }

        Assert.Equal(21, compared);
    }

    [Theory]
    [InlineData("qwen3")]
    [InlineData("llama3")]
    public void A_models_own_template_is_recognised_and_gives_the_ids_of_its_text(string name)
    {
        string folder = OracleTokenizers.Folder(name);
        ModelTokenizer tokenizer = OracleTokenizers.Load(name);
        PromptTemplate template = PromptTemplate.Resolve(PromptTemplate.Auto, folder);
        foreach ((string system, string user, string text) in Recorded(name))
        {
            IReadOnlyList<int> ids = template.Render(tokenizer, system, user, "", "");
            if (!user.Contains("<|", StringComparison.Ordinal))
            {
                Assert.Equal(tokenizer.EncodeTemplate(text), ids);
            }

            Assert.Equal(text, tokenizer.Decode(ids, keepSpecial: true));
            if (name == "llama3")
            {
                Assert.Single(ids, tokenizer.SpecialToken("<|begin_of_text|>")!.Value);
            }
        }
    }

    [Fact]
    public void Qwen_2_5_brings_its_system_message_where_none_is_given()
    {
        PromptTemplate template = OfModel(Qwen25Like);

        Assert.Same(PromptTemplate.Qwen25, template);
        Assert.Equal(
            "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
            template.RenderText("", "Hi", "", ""));
        Assert.Equal("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", template.RenderText("Be brief.", "Hi", "", ""));
    }

    [Fact]
    public void Another_system_message_in_the_models_template_is_taken_from_there()
    {
        string text = Qwen25Like.Replace("You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", @"Reason, then \\boxed{}.", StringComparison.Ordinal);

        Assert.StartsWith("<|im_start|>system\nReason, then \\boxed{}.<|im_end|>\n<|im_start|>user\n", OfModel(text).RenderText("", "Hi", "", ""), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'<|im_start|>assistant\\n'", "'<|im_start|>assistant\\n<think>\\n'")]
    [InlineData("message.content", "message.content | trim")]
    [InlineData("<|im_end|>", "</s>")]
    [InlineData("<|im_", "<|of_another_")]
    public void A_chat_template_that_does_something_else_is_no_built_in_one(string part, string other)
    {
        string message = Assert.Throws<UserErrorException>(() => OfModel(Qwen25Like.Replace(part, other, StringComparison.Ordinal))).Message;

        Assert.Contains("tokenizer_config.json: the chat template is none of the built-in ones (chatml, qwen2.5, llama3, compact)", message, StringComparison.Ordinal);
        Assert.Contains("ghpo.prompt.template", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_of_templates_is_read_by_its_default()
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer_config.json", JsonSerializer.Serialize(
            new { chat_template = new[] { new { name = "tool_use", template = "?" }, new { name = "default", template = Qwen25Like } } }));

        Assert.Same(PromptTemplate.Qwen25, PromptTemplate.Resolve(PromptTemplate.Auto, folder.Path));
    }

    [Fact]
    public void A_template_of_ones_own_is_read_from_its_file()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("my.template", "{{#system}}S: {{system}}\n{{/system}}{{^system}}(none)\n{{/system}}<|q|>{{problem}}{{#hint}} [{{introduction}}{{hint}}]{{/hint}}<|a|>");
        PromptTemplate template = PromptTemplate.Resolve(file, "");

        Assert.Equal("(none)\n<|q|>1+1<|a|>", template.RenderText("", "1+1", "So: ", ""));
        Assert.Equal("S: Think.\n<|q|>1+1 [So: 2]<|a|>", template.RenderText("Think.", "1+1", "So: ", "2"));
        Assert.Equal(["<|q|>", "<|a|>"], template.SpecialTokens);
    }

    [Theory]
    [InlineData("{{problem}}{{introduction}}", "{{hint}} must stand in a prompt template once; it stands there 0 times")]
    [InlineData("{{problem}}{{problem}}{{introduction}}{{hint}}", "{{problem}} must stand in a prompt template once; it stands there 2 times")]
    [InlineData("{{problem}}{{#hint}}{{introduction}}{{hint}}", "{{#hint}} is never closed")]
    [InlineData("{{problem}}{{/hint}}{{introduction}}{{hint}}", "{{/hint}} at character 11 has no meaning there")]
    [InlineData("{{question}}", "{{question}} at character 0 has no meaning there; known are {{system}}, {{problem}}")]
    [InlineData("{{#trim}}Q: {{problem}}{{/trim}}{{introduction}}{{hint}}", "character 9 stands inside {{#trim}}")]
    public void A_file_that_is_no_template_says_what_stands_where(string text, string expected)
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("my.template", text);

        string message = Assert.Throws<UserErrorException>(() => PromptTemplate.Resolve(file, "")).Message;
        Assert.StartsWith(file, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_is_nothing_is_answered_with_those_that_are() =>
        Assert.Contains(
            "ghpo.prompt.template = chatlm is neither auto, chatml, qwen2.5, llama3, compact nor a file",
            Assert.Throws<UserErrorException>(() => PromptTemplate.Resolve("chatlm", "")).Message,
            StringComparison.Ordinal);

    private static PromptTemplate OfModel(string chatTemplate)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer_config.json", JsonSerializer.Serialize(new { chat_template = chatTemplate }));
        return PromptTemplate.Resolve(PromptTemplate.Auto, folder.Path);
    }

    private static IEnumerable<(string System, string User, string Text)> Recorded(string tokenizer)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Fixture.Path("chat-templates.json")));
        return
        [
            .. document.RootElement.EnumerateArray().Where(entry => entry.GetProperty("tokenizer").GetString() == tokenizer)
                .Select(entry => (entry.GetProperty("system").GetString() ?? "", entry.GetProperty("user").GetString()!, entry.GetProperty("text").GetString()!)),
        ];
    }
}
