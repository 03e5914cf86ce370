using System.Text.Json;
using System.Text.RegularExpressions;
using Ghpo.Configuration;

namespace Ghpo.Problems;

/// <summary>
/// Tells from a model folder's chat_template (Jinja text) which built-in template renders the same prompt. Nothing is rendered here: a family is known by
/// its marks, and a text that has these marks but does more than the family's built-in template would be an error, not a guess.
/// </summary>
internal static partial class ChatTemplateFile
{
    /// <exception cref="UserErrorException">There is no chat template, or no built-in one gives its prompts; names file and setting.</exception>
    internal static PromptTemplate Recognise(string modelFolder)
    {
        (string path, string text) = Read(modelFolder);
        if (text == CompactTokens.ChatTemplate)
        {
            return PromptTemplate.Compact;
        }

        return Chatml(text) ?? Llama3(text) ?? throw new UserErrorException(
            $"{path}: the chat template is none of the built-in ones ({PromptTemplate.Names}). " +
            "Set ghpo.prompt.template to the one of them that this model was trained with, or to a file with a template of your own (docs/models.md).");
    }

    private static PromptTemplate? Chatml(string text)
    {
        // A generation prompt that goes on behind the role (<think>), content that is changed, or another family's marks: not this template.
        if (!ChatmlGeneration().IsMatch(text) || !text.Contains("<|im_end|>", StringComparison.Ordinal)
            || text.Contains("<|start_header_id|>", StringComparison.Ordinal) || Trims().IsMatch(text))
        {
            return null;
        }

        string[] systems = [.. ChatmlSystem().Matches(text).Select(match => Unescape(match.Groups[1].Value)).Distinct(StringComparer.Ordinal)];
        return systems switch
        {
            [] => PromptTemplate.Chatml,
            [var one] when PromptTemplate.Qwen25.RenderText("", "", "", "") == PromptTemplate.ChatmlWith("chatml", one).RenderText("", "", "", "") => PromptTemplate.Qwen25,
            [var one] when !one.Contains("{{", StringComparison.Ordinal) => PromptTemplate.ChatmlWith("chatml", one),
            _ => null,
        };
    }

    /// <summary>Of the first Llama 3: later ones write dates into the system message.</summary>
    private static PromptTemplate? Llama3(string text) =>
        text.Contains("<|start_header_id|>", StringComparison.Ordinal) && text.Contains("<|eot_id|>", StringComparison.Ordinal)
        && LlamaGeneration().IsMatch(text) && Trims().IsMatch(text) && text.Contains("bos_token", StringComparison.Ordinal)
        && !text.Contains("Date:", StringComparison.Ordinal) && !text.Contains("<|im_start|>", StringComparison.Ordinal)
            ? PromptTemplate.Llama3
            : null;

    private static string Unescape(string literal) => literal.Replace(@"\n", "\n", StringComparison.Ordinal).Replace(@"\\", @"\", StringComparison.Ordinal);

    /// <summary>The string literal that opens the answer ends behind the role's line.</summary>
    [GeneratedRegex(@"add_generation_prompt(?s:.*)<\|im_start\|>assistant(?:\\n|\n)['""]")]
    private static partial Regex ChatmlGeneration();

    /// <summary>A whole system message in one string literal: that for conversations without one.</summary>
    [GeneratedRegex(@"<\|im_start\|>system(?:\\n|\n)([^'""<]+)<\|im_end\|>")]
    private static partial Regex ChatmlSystem();

    [GeneratedRegex(@"<\|start_header_id\|>assistant<\|end_header_id\|>(?:\\n\\n|\n\n)['""]")]
    private static partial Regex LlamaGeneration();

    [GeneratedRegex(@"\|\s*trim\b|\.strip\(\)")]
    private static partial Regex Trims();

    private static (string Path, string Template) Read(string modelFolder)
    {
        string jinja = Path.Combine(modelFolder, "chat_template.jinja");
        if (File.Exists(jinja))
        {
            return (jinja, File.ReadAllText(jinja));
        }

        string config = Path.Combine(modelFolder, "tokenizer_config.json");
        if (!File.Exists(config))
        {
            throw new UserErrorException(
                $"{config} is missing, so the prompt template cannot be told from the model. Set ghpo.prompt.template to {PromptTemplate.Names} or a file.");
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(config));
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("chat_template", out JsonElement template))
            {
                return (config, template.ValueKind == JsonValueKind.String ? template.GetString()! : Default(template));
            }
        }
        catch (JsonException e)
        {
            throw new UserErrorException($"{config} is not valid JSON: {e.Message}");
        }

        throw new UserErrorException($"{config} has no chat_template. Set ghpo.prompt.template to {PromptTemplate.Names} or a file.");
    }

    /// <summary>The other form that the file knows: a list of {name, template}, of which "default" is for plain conversations.</summary>
    private static string Default(JsonElement list) => list.ValueKind != JsonValueKind.Array
        ? ""
        : list.EnumerateArray()
            .Where(entry => entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("name", out JsonElement name) && name.ToString() == "default")
            .Select(entry => entry.TryGetProperty("template", out JsonElement text) && text.ValueKind == JsonValueKind.String ? text.GetString()! : "")
            .FirstOrDefault("");
}
