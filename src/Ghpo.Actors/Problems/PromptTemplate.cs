using System.Text.Json;
using Ghpo.Configuration;
using Ghpo.Models;

namespace Ghpo.Problems;

/// <summary>
/// How a problem becomes prompt tokens. A hint always stands in the user's part, never at the beginning of the answer, so that it carries no loss
/// and the verifier does not see it. Only the template's own words may become special tokens; system message, problem and hint are data and
/// are encoded as plain text, whatever they contain.
/// <code>
/// chatml    &lt;|im_start|>system\n{system}&lt;|im_end|>\n                      (left out without a system message)
///           &lt;|im_start|>user\n{problem}{introduction}{hint}&lt;|im_end|>\n&lt;|im_start|>assistant\n
/// compact   &lt;|problem|>{problem}&lt;|hint|>{introduction}{hint}&lt;|solution|>     ({introduction}{hint} and &lt;|hint|> left out without a hint)
/// </code>
/// </summary>
public sealed class PromptTemplate
{
    /// <summary>The paper's sentence between problem and hint.</summary>
    public const string PaperIntroduction =
        "\n The following text is the beginning part of the answer, which you can refer to for solving the problem:\n";

    public static readonly PromptTemplate Chatml = new(
        TemplateKind.Chatml, start: "<|im_start|>user\n", hintMark: "", end: "<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>",
        PaperIntroduction, ["<|im_start|>", "<|im_end|>"]);

    public static readonly PromptTemplate Compact = new(
        TemplateKind.Compact, CompactTokens.Problem, CompactTokens.Hint, CompactTokens.Solution, CompactTokens.End,
        hintIntroduction: "", CompactTokens.All);

    private readonly string _start;
    private readonly string _hintMark;
    private readonly string _end;

    private PromptTemplate(
        TemplateKind kind, string start, string hintMark, string end, string endOfAnswer, string hintIntroduction, IReadOnlyList<string> tokens)
    {
        Kind = kind;
        _start = start;
        _hintMark = hintMark;
        _end = end;
        EndOfAnswer = endOfAnswer;
        HintIntroduction = hintIntroduction;
        SpecialTokens = tokens;
    }

    public TemplateKind Kind { get; }

    /// <summary>The special token that a complete answer ends with.</summary>
    public string EndOfAnswer { get; }

    /// <summary>What stands between problem and hint unless the settings say otherwise.</summary>
    public string HintIntroduction { get; }

    /// <summary>The special tokens that a vocabulary needs for this template.</summary>
    public IReadOnlyList<string> SpecialTokens { get; }

    /// <summary>The template of a kind; <see cref="TemplateKind.Auto"/> is decided by the chat template in the model folder.</summary>
    /// <param name="modelFolder">Read for auto only.</param>
    /// <exception cref="UserErrorException">The folder's chat template is missing or is neither of the two; names prompt.template.</exception>
    public static PromptTemplate Resolve(TemplateKind kind, string modelFolder) => kind switch
    {
        TemplateKind.Chatml => Chatml,
        TemplateKind.Compact => Compact,
        TemplateKind.Auto => OfFolder(modelFolder),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown template kind."),
    };

    /// <summary>Prompt tokens.</summary>
    /// <param name="system">"" for none; the compact template has no place for one.</param>
    /// <param name="introduction">What stands between problem and hint.</param>
    /// <param name="hint">"" for none.</param>
    public IReadOnlyList<int> Render(ITokenizer tokenizer, string system, string problem, string introduction, string hint)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        var prompt = new List<int>();
        if (system.Length > 0)
        {
            if (Kind == TemplateKind.Compact)
            {
                throw new UserErrorException(
                    "ghpo.prompt.system is set, but the compact template has no system message. Leave it empty, or set ghpo.prompt.template = chatml.");
            }

            prompt.AddRange(tokenizer.EncodeTemplate("<|im_start|>system\n"));
            prompt.AddRange(tokenizer.EncodeText(system));
            prompt.AddRange(tokenizer.EncodeTemplate("<|im_end|>\n"));
        }

        prompt.AddRange(tokenizer.EncodeTemplate(_start));
        if (hint.Length == 0)
        {
            prompt.AddRange(tokenizer.EncodeText(problem));
        }
        else if (_hintMark.Length == 0)
        {
            // One text, as a chat client would send it: a tokenizer may join the last characters of one part and the first of the next.
            prompt.AddRange(tokenizer.EncodeText(problem + introduction + hint));
        }
        else
        {
            prompt.AddRange(tokenizer.EncodeText(problem));
            prompt.AddRange(tokenizer.EncodeTemplate(_hintMark));
            prompt.AddRange(tokenizer.EncodeText(introduction + hint));
        }

        prompt.AddRange(tokenizer.EncodeTemplate(_end));
        return prompt;
    }

    private static PromptTemplate OfFolder(string modelFolder)
    {
        (string path, string template) = ChatTemplate(modelFolder);
        if (template.Contains("<|im_start|>", StringComparison.Ordinal))
        {
            return Chatml;
        }

        if (template.Contains(CompactTokens.Problem, StringComparison.Ordinal))
        {
            return Compact;
        }

        throw new UserErrorException(
            $"{path}: the chat template is neither ChatML (<|im_start|>) nor compact ({CompactTokens.Problem}). " +
            "Set ghpo.prompt.template = chatml or compact, whichever this model was trained with.");
    }

    private static (string Path, string Template) ChatTemplate(string modelFolder)
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
                $"{config} is missing, so the prompt template cannot be told from the model. Set ghpo.prompt.template = chatml or compact.");
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(config));
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("chat_template", out JsonElement template))
            {
                return (config, template.ValueKind == JsonValueKind.String ? template.GetString()! : NamedTemplates(template));
            }
        }
        catch (JsonException e)
        {
            throw new UserErrorException($"{config} is not valid JSON: {e.Message}");
        }

        throw new UserErrorException($"{config} has no chat_template. Set ghpo.prompt.template = chatml or compact.");
    }

    /// <summary>The other form that the file knows: a list of {name, template}.</summary>
    private static string NamedTemplates(JsonElement list) => list.ValueKind != JsonValueKind.Array
        ? ""
        : string.Join('\n', list.EnumerateArray()
            .Select(entry => entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("template", out JsonElement text) ? text : default)
            .Where(text => text.ValueKind == JsonValueKind.String)
            .Select(text => text.GetString()));
}
