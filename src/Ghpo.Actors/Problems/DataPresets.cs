using System.Collections.Immutable;
using System.Text;
using Ghpo.Configuration;
using Ghpo.Verification;
using Ghpo.Verification.Extraction;

namespace Ghpo.Problems;

/// <summary>
/// Which fields of a record make up a problem.
/// <code>
/// preset         problem                 solution (hints)              answer                        level
/// gsm8k          question                answer, text before ####      answer, text behind ####      –
/// math           problem                 solution                      answer, else the last box     level
/// svamp          Body + Question         Equation                      Answer                        –
/// olympiadbench  context + question      solution (list, joined)       final_answer (list, joined)   –
/// custom         as ghpo.data.fields says
/// </code>
/// </summary>
internal static class DataPresets
{
    /// <param name="Answer">"" where the record has none.</param>
    public sealed record Parts(string Id, string Text, string? Solution, string Answer, string Level);

    /// <summary>The preset for a file, seen from the fields of its first record.</summary>
    /// <exception cref="UserErrorException">No preset fits; names the fields there are.</exception>
    public static DataPreset Detect(string path, DataRecord first, DataFields fields)
    {
        bool Has(params string[] names) => names.All(first.Fields.ContainsKey);

        if (Has("Body", "Question", "Answer"))
        {
            return DataPreset.Svamp;
        }

        if (Has("question", "final_answer"))
        {
            return DataPreset.Olympiadbench;
        }

        if (Has("problem") && (Has("solution") || Has("answer")))
        {
            return DataPreset.Math;
        }

        if (Has("question", "answer") && Single(first, "answer").Contains("####", StringComparison.Ordinal))
        {
            return DataPreset.Gsm8k;
        }

        if (Has([.. new[] { fields.Problem, fields.Answer }.Where(name => name.Length > 0)]) && fields.Problem.Length > 0 && fields.Answer.Length > 0)
        {
            return DataPreset.Custom;
        }

        throw new UserErrorException(
            $"{path}: no known data set has the fields {Names(first)}. Set ghpo.data.preset, or name the fields in ghpo.data.fields.");
    }

    /// <exception cref="UserErrorException">The record lacks a field; names file, line, the field and those there are.</exception>
    public static Parts Map(DataPreset preset, DataFields fields, Func<DataRecord, string> place, DataRecord record)
    {
        string Required(string name) => record.Fields.ContainsKey(name)
            ? Single(record, name)
            : throw new UserErrorException(
                $"{place(record)}: field '{name}' is missing (preset {preset.ToString().ToLowerInvariant()}); the fields are {Names(record)}.");

        string Optional(string name) => name.Length > 0 && record.Fields.ContainsKey(name) ? Single(record, name) : "";

        switch (preset)
        {
            case DataPreset.Gsm8k:
                (string trace, string gsm8kAnswer) = SplitGsm8k(Required("answer"));
                return new Parts(Optional("id"), Required("question"), trace, gsm8kAnswer, "");

            case DataPreset.Math:
                string solution = record.Fields.ContainsKey("answer") ? Optional("solution") : Required("solution");
                string answer = record.Fields.ContainsKey("answer")
                    ? Single(record, "answer")
                    : AnswerExtractor.Find(solution, AnswerMarker.Boxed)?.Text ?? "";
                string id = Optional("unique_id");
                return new Parts(
                    id.Length > 0 ? id : Optional("id"), Required("problem"), solution, answer,
                    Optional("level").Replace("Level ", "", StringComparison.Ordinal));

            case DataPreset.Svamp:
                string body = Required("Body").TrimEnd();
                return new Parts(
                    Optional("ID"), Join(body.Length > 0 && char.IsLetterOrDigit(body[^1]) ? body + "." : body, Required("Question"), " "),
                    Required("Equation"), Required("Answer"), "");

            case DataPreset.Olympiadbench:
                Required("final_answer");
                return new Parts(
                    Optional("id"), Join(Optional("context"), Required("question"), "\n"), Optional("solution"),
                    string.Join(", ", record.Fields["final_answer"]), "");

            case DataPreset.Custom:
                string answerField = RequiredName(fields.Answer, "answer");
                Required(answerField);
                string problem = Required(RequiredName(fields.Problem, "problem"));
                return new Parts(
                    fields.Id.Length > 0 ? Required(fields.Id) : "", problem, fields.Solution.Length > 0 ? Required(fields.Solution) : null,
                    string.Join(", ", record.Fields[answerField]), fields.Level.Length > 0 ? Required(fields.Level) : "");

            default:
                throw new ArgumentOutOfRangeException(nameof(preset), preset, "Not the preset of a file.");
        }
    }

    /// <summary>GSM8K: the worked solution without its calculator marks (<c>&lt;&lt;48/2=24>></c>), and the answer of its last line.</summary>
    internal static (string Solution, string Answer) SplitGsm8k(string text)
    {
        int mark = text.LastIndexOf("####", StringComparison.Ordinal);
        string answer = mark < 0 ? "" : text[(mark + 4)..].Trim();
        ReadOnlySpan<char> marked = mark < 0 ? text : text.AsSpan(0, mark);
        var solution = new StringBuilder(marked.Length);
        while (true)
        {
            int open = marked.IndexOf("<<");
            int close = open < 0 ? -1 : marked[open..].IndexOf(">>");
            if (close < 0)
            {
                return (solution.Append(marked).ToString().TrimEnd(), answer);
            }

            solution.Append(marked[..open]);
            marked = marked[(open + close + 2)..];
        }
    }

    private static string Single(DataRecord record, string name) => string.Join("\n\n", record.Fields[name]);

    private static string Join(string first, string second, string separator) => first.Length == 0 ? second : first + separator + second;

    private static string Names(DataRecord record) => string.Join(", ", record.Fields.Keys.Order(StringComparer.Ordinal).Select(name => $"'{name}'"));

    private static string RequiredName(string name, string part) => name.Length > 0
        ? name
        : throw new UserErrorException($"ghpo.data.fields.{part} is empty. Name the field that holds the {part}.");
}
