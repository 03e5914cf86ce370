using Ghpo.Verification.Equivalence;
using Ghpo.Verification.Expressions;
using Ghpo.Verification.Extraction;
using Ghpo.Verification.Parsing;

namespace Ghpo.Verification.Cases;

/// <summary>Judges single cases, each taken as its mode says.</summary>
public static class CaseJudge
{
    public static (Verdict Verdict, string Reason) Judge(VerifierCase item)
    {
        ArgumentNullException.ThrowIfNull(item);
        if (item.Mode == CaseMode.String)
        {
            return Choices(item);
        }

        string? gold = Reference(item);
        if (gold is null)
        {
            return (Verdict.Unverifiable, "the reference holds no answer");
        }

        string? found = Candidate(item);
        if (found is null)
        {
            return (Verdict.Malformed, "no answer found");
        }

        Comparison comparison = AnswerComparer.Explain(gold, found, item.Options);
        return comparison.Match switch
        {
            AnswerMatch.Equal => (Verdict.Correct, Reason(found, gold, comparison)),
            AnswerMatch.Different => (Verdict.Wrong, Reason(found, gold, comparison)),
            _ => (Verdict.Unverifiable, comparison.Reason),
        };
    }

    private static string? Reference(VerifierCase item) => item.Mode switch
    {
        CaseMode.Answer => item.Gold,
        CaseMode.Latex => AnswerExtractor.FindAnywhere(item.Gold, FormulaKinds.Latex),
        CaseMode.Expr => AnswerExtractor.FindAnywhere(item.Gold, FormulaKinds.Plain),
        _ => IsWords(item.Gold) ? item.Gold : AnswerExtractor.FindAnywhere(item.Gold, FormulaKinds.Both) ?? item.Gold,
    };

    /// <summary>Words as a whole: a number in them is not the answer.</summary>
    private static bool IsWords(string gold) =>
        AnswerText.Clean(gold) is var clean && (AnswerText.IsDate(clean) || (clean.StartsWith('\\') && ExpressionParser.Parse(clean) is Words));

    private static string? Candidate(VerifierCase item) => item.Mode switch
    {
        CaseMode.Answer => item.Candidate,
        CaseMode.Latex => AnswerExtractor.FindAnywhere(item.Candidate, FormulaKinds.Latex),
        CaseMode.Expr => AnswerExtractor.FindAnywhere(item.Candidate, FormulaKinds.Plain),
        CaseMode.ResponseStrict => AnswerExtractor.Find(item.Candidate, AnswerMarker.Any)?.Text,
        CaseMode.Response => AnswerExtractor.Find(item.Candidate, AnswerMarker.Lenient)?.Text,
        _ => AnswerExtractor.FindAnywhere(item.Candidate, FormulaKinds.Both),
    };

    private static (Verdict, string) Choices(VerifierCase item)
    {
        char? gold = ChoiceExtractor.Find(item.Gold);
        char? found = ChoiceExtractor.Find(item.Candidate);
        return gold is null ? (Verdict.Unverifiable, "the reference names no choice")
            : found is null ? (Verdict.Malformed, "no choice found")
            : (gold == found ? Verdict.Correct : Verdict.Wrong, $"chose {found}, expected {gold}");
    }

    private static string Reason(string found, string gold, Comparison comparison) =>
        $"parsed {ReasonText.Short(found)}, expected {ReasonText.Short(gold)}: {comparison.Reason}";
}
