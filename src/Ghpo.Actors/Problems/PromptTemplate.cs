using Ghpo.Configuration;
using Ghpo.Models;

namespace Ghpo.Problems;

/// <summary>
/// How a problem becomes prompt tokens. A hint always stands in the user's part, never at the beginning of the answer, so that it carries no loss
/// and the verifier does not see it. Only the template's own words may become special tokens; system message, problem and hint are data and
/// are encoded as plain text, whatever they contain. Templates are written as <see cref="TemplateText"/> says.
/// </summary>
public sealed class PromptTemplate
{
    public const string Auto = "auto";

    /// <summary>The paper's sentence between problem and hint.</summary>
    public const string PaperIntroduction =
        "\n The following text is the beginning part of the answer, which you can refer to for solving the problem:\n";

    /// <summary>Qwen3, and others of that form: no system message unless one is given.</summary>
    public static readonly PromptTemplate Chatml = ChatmlWith("chatml", "");

    /// <summary>Qwen2.5: a system message of its own where none is given.</summary>
    public static readonly PromptTemplate Qwen25 = ChatmlWith("qwen2.5", "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.");

    /// <summary>Llama 3, which trims messages.</summary>
    public static readonly PromptTemplate Llama3 = new(
        "llama3",
        "<|begin_of_text|>{{#system}}<|start_header_id|>system<|end_header_id|>\n\n{{#trim}}{{system}}{{/trim}}<|eot_id|>{{/system}}" +
        "<|start_header_id|>user<|end_header_id|>\n\n{{#trim}}{{problem}}{{#hint}}{{introduction}}{{hint}}{{/hint}}{{/trim}}<|eot_id|>" +
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        PaperIntroduction);

    /// <summary>That of the built-in model.</summary>
    public static readonly PromptTemplate Compact = new(
        "compact",
        $"{CompactTokens.Problem}{{{{problem}}}}{{{{#hint}}}}{CompactTokens.Hint}{{{{introduction}}}}{{{{hint}}}}{{{{/hint}}}}{CompactTokens.Solution}",
        hintIntroduction: "");

    private static readonly PromptTemplate[] BuiltIn = [Chatml, Qwen25, Llama3, Compact];

    private readonly TemplateText _text;

    private PromptTemplate(string name, string text, string hintIntroduction)
    {
        Name = name;
        HintIntroduction = hintIntroduction;
        _text = TemplateText.Parse(text, name);
    }

    /// <summary>That of a built-in template, or the file that it was read from.</summary>
    public string Name { get; }

    /// <summary>What stands between problem and hint unless the settings say otherwise.</summary>
    public string HintIntroduction { get; }

    /// <summary>The special tokens that a vocabulary needs for this template.</summary>
    public IReadOnlyList<string> SpecialTokens => _text.SpecialTokens;

    internal static string Names => string.Join(", ", BuiltIn.Select(template => template.Name));

    /// <summary>The template that ghpo.prompt.template asks for.</summary>
    /// <param name="template">auto (decided by the chat template in the model folder), the name of a built-in one, or a file.</param>
    /// <param name="modelFolder">Read for auto only.</param>
    /// <exception cref="UserErrorException">The file is missing or no template, or the folder's chat template is missing or none of the built-in ones.</exception>
    public static PromptTemplate Resolve(string template, string modelFolder)
    {
        if (template == Auto)
        {
            return ChatTemplateFile.Recognise(modelFolder);
        }

        if (BuiltIn.FirstOrDefault(builtIn => builtIn.Name == template) is { } known)
        {
            return known;
        }

        return File.Exists(template)
            ? new PromptTemplate(template, File.ReadAllText(template), PaperIntroduction)
            : throw new UserErrorException($"ghpo.prompt.template = {template} is neither {Auto}, {Names} nor a file.");
    }

    /// <summary>ChatML with a system message for where none is given; "" for none.</summary>
    internal static PromptTemplate ChatmlWith(string name, string system) => new(
        name,
        "{{#system}}<|im_start|>system\n{{system}}<|im_end|>\n{{/system}}" +
        (system.Length == 0 ? "" : $"{{{{^system}}}}<|im_start|>system\n{system}<|im_end|>\n{{{{/system}}}}") +
        "<|im_start|>user\n{{problem}}{{#hint}}{{introduction}}{{hint}}{{/hint}}<|im_end|>\n<|im_start|>assistant\n",
        PaperIntroduction);

    /// <summary>True if there is a place for a system message.</summary>
    public bool HasSystem => _text.HasSystem;

    /// <exception cref="UserErrorException">The vocabulary lacks a special token of the template; names it.</exception>
    public void RequireTokens(ITokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        string[] missing = [.. SpecialTokens.Where(token => tokenizer.SpecialToken(token) is null)];
        if (missing.Length > 0)
        {
            throw new UserErrorException(
                $"The model's vocabulary has no {string.Join(", ", missing)}, which the {Name} template needs. " +
                "Set ghpo.prompt.template to the template that the model was trained with.");
        }
    }

    /// <summary>The prompt as text.</summary>
    /// <param name="system">"" for none.</param>
    /// <param name="introduction">What stands between problem and hint.</param>
    /// <param name="hint">"" for none.</param>
    public string RenderText(string system, string problem, string introduction, string hint) =>
        string.Concat(Parts(system, problem, introduction, hint).Select(part => part.Text));

    /// <summary>Prompt tokens; see <see cref="RenderText"/>.</summary>
    public IReadOnlyList<int> Render(ITokenizer tokenizer, string system, string problem, string introduction, string hint)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return tokenizer.EncodePrompt(Parts(system, problem, introduction, hint));
    }

    private IReadOnlyList<PromptPart> Parts(string system, string problem, string introduction, string hint) =>
        system.Length == 0 || HasSystem
            ? _text.Render(new PromptFields(system, problem, introduction, hint))
            : throw new UserErrorException(
                $"ghpo.prompt.system is set, but the {Name} template has no system message. Leave it empty, or set ghpo.prompt.template to one that has.");
}
