using System.Globalization;
using System.Text;
using System.Text.Json;
using Ghpo.Verification.Equivalence;

namespace Ghpo.Verification.Cases;

/// <summary>How the two sides of a case are to be taken.</summary>
public enum CaseMode
{
    /// <summary>Both are bare answers.</summary>
    Answer,

    /// <summary>Extract from both: formulas between LaTeX delimiters only.</summary>
    Latex,

    /// <summary>Extract from both: plain numbers and expressions only.</summary>
    Expr,

    /// <summary>Extract from both, in either notation.</summary>
    LatexExpr,

    /// <summary>Extract a choice letter from both.</summary>
    String,

    /// <summary>Extract from the candidate by its marker, else its last formula or number.</summary>
    Response,

    /// <summary>The candidate counts only through an explicit marker.</summary>
    ResponseStrict,
}

/// <summary>A reference, a candidate and the verdict that they should get.</summary>
/// <param name="Expect">True: to accept, false: to reject, null: not stated.</param>
/// <param name="MaxMilliseconds">Time allowed for the verdict; null where none is stated.</param>
public sealed record VerifierCase(
    string Id, string Gold, string Candidate, bool? Expect, string Class, CaseMode Mode, EquivalenceOptions Options, double? MaxMilliseconds)
{
    /// <summary>Reads one line of a file of cases: a JSON object with gold, pred (or gold_gen, pred_gen), and optionally id, expect, class, mode, opts, max_ms.</summary>
    /// <exception cref="FormatException">The line is no such record; the message says what is wrong with it.</exception>
    public static VerifierCase Parse(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw new FormatException("must be a JSON object");
            }

            return new VerifierCase(
                Optional(root, "id"),
                Side(root, "gold"),
                Side(root, "pred"),
                root.TryGetProperty("expect", out JsonElement expect) && expect.ValueKind is JsonValueKind.True or JsonValueKind.False ? expect.GetBoolean() : null,
                Optional(root, "class"),
                ModeOf(Optional(root, "mode")),
                OptionsOf(root),
                root.TryGetProperty("max_ms", out JsonElement limit) && limit.ValueKind == JsonValueKind.Number ? limit.GetDouble() : null);
        }
        catch (JsonException error)
        {
            throw new FormatException("is not JSON: " + error.Message, error);
        }
    }

    private static string Optional(JsonElement root, string name) =>
        !root.TryGetProperty(name, out JsonElement value) ? ""
        : value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number => value.GetRawText(),
            _ => "",
        };

    /// <summary>A side as it stands, or put together from pieces and how often each is repeated.</summary>
    private static string Side(JsonElement root, string name)
    {
        if (root.TryGetProperty(name + "_gen", out JsonElement pieces) && pieces.ValueKind == JsonValueKind.Array)
        {
            var text = new StringBuilder();
            foreach (JsonElement piece in pieces.EnumerateArray())
            {
                if (piece.ValueKind != JsonValueKind.Array || piece.GetArrayLength() != 2 || piece[0].ValueKind != JsonValueKind.String || !piece[1].TryGetInt32(out int count) || count < 0)
                {
                    throw new FormatException($"'{name}_gen' must be a list of [text, count]");
                }

                text.Insert(text.Length, piece[0].GetString()!, count);
            }

            return text.ToString();
        }

        return root.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number
            ? (value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText())
            : throw new FormatException($"has no text '{name}'");
    }

    private static CaseMode ModeOf(string mode) => mode switch
    {
        "" or "answer" => CaseMode.Answer,
        "latex" => CaseMode.Latex,
        "expr" => CaseMode.Expr,
        "latex+expr" => CaseMode.LatexExpr,
        "string" => CaseMode.String,
        "response" => CaseMode.Response,
        "response-strict" => CaseMode.ResponseStrict,
        _ => throw new FormatException($"has the unknown mode '{mode}'; the modes are answer, latex, expr, latex+expr, string, response, response-strict"),
    };

    private static EquivalenceOptions OptionsOf(JsonElement root)
    {
        var options = new EquivalenceOptions();
        if (!root.TryGetProperty("opts", out JsonElement given) || given.ValueKind != JsonValueKind.Object)
        {
            return options;
        }

        foreach (JsonProperty option in given.EnumerateObject())
        {
            options = option.Name switch
            {
                "precision" when option.Value.TryGetInt32(out int precision) && precision is >= 0 and <= 100 => options with { Precision = precision },
                "strict" when option.Value.ValueKind is JsonValueKind.True or JsonValueKind.False => options with { Strict = option.Value.GetBoolean() },

                // Solved inequalities always equal their intervals here.
                "allow_set_relation_comp" when option.Value.ValueKind is JsonValueKind.True or JsonValueKind.False => options,
                _ => throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"has the unknown option or value opts.{option.Name} = {option.Value}")),
            };
        }

        return options;
    }
}
