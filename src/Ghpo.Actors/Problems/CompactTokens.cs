namespace Ghpo.Problems;

/// <summary>Special tokens of the compact template, and the same template for Hugging Face clients.</summary>
public static class CompactTokens
{
    public const string Problem = "<|problem|>";

    public const string Hint = "<|hint|>";

    public const string Solution = "<|solution|>";

    public const string End = "<|end|>";

    /// <summary>In the order that a vocabulary of its own numbers them.</summary>
    public static readonly IReadOnlyList<string> All = [Problem, Hint, Solution, End];

    /// <summary>
    /// Jinja text for <c>chat_template</c> in tokenizer_config.json. A hint is written by the client as part of the user's message, behind
    /// <c>&lt;|hint|></c>.
    /// </summary>
    public const string ChatTemplate =
        "{%- for message in messages -%}" +
        "{%- if message['role'] == 'user' -%}{{ '<|problem|>' + message['content'] }}" +
        "{%- elif message['role'] == 'assistant' -%}{{ '<|solution|>' + message['content'] + '<|end|>' }}" +
        "{%- endif -%}{%- endfor -%}" +
        "{%- if add_generation_prompt -%}{{ '<|solution|>' }}{%- endif -%}";
}
