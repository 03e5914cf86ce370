using Ghpo.Verification.Expressions;
using Ghpo.Verification.Numerics;
using Ghpo.Verification.Parsing;

namespace Ghpo.Verification.Equivalence;

public enum AnswerMatch
{
    Equal,
    Different,

    /// <summary>The reference is nothing that an answer could be compared with.</summary>
    Undecided,
}

/// <param name="Reason">Why, in a few words, for logs.</param>
public readonly record struct Comparison(AnswerMatch Match, string Reason);

/// <summary>
/// Whether an answer equals the reference: both are read as mathematics or words, and compared by value. A pure function, safe on any thread; its time and
/// memory are bounded by caps on length, depth, digits and work. It throws on no text.
/// </summary>
public static class AnswerComparer
{
    /// <summary>Longer answers, in characters, equal only themselves.</summary>
    public const int MaxLength = 20_000;

    public static AnswerMatch Compare(string reference, string answer) => Explain(reference, answer, new EquivalenceOptions()).Match;

    public static Comparison Explain(string reference, string answer, EquivalenceOptions options)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(answer);
        ArgumentNullException.ThrowIfNull(options);
        string gold = Clean(reference);
        string found = Clean(answer);
        if (gold.Length is 0 or > MaxLength)
        {
            bool same = gold.Length > 0 && string.Equals(gold, found, StringComparison.Ordinal);
            return same ? new Comparison(AnswerMatch.Equal, "same text") : new Comparison(AnswerMatch.Undecided, gold.Length == 0 ? "the reference is empty" : "the reference is too long");
        }

        if (found.Length is 0 or > MaxLength)
        {
            return new Comparison(AnswerMatch.Different, found.Length == 0 ? "no answer" : "the answer is too long");
        }

        if (Choice(gold, found) is bool choice)
        {
            return choice ? new Comparison(AnswerMatch.Equal, "same choice") : new Comparison(AnswerMatch.Different, "another choice");
        }

        Expr? expected = Read(gold);
        Expr? read = Read(found);
        if ((expected is Words || read is Words || WordText.IsPhrase(gold) || WordText.IsPhrase(found)) && AreWords(gold) && AreWords(found) && WordText.Equal(gold, found))
        {
            return new Comparison(AnswerMatch.Equal, "same words");
        }

        if (expected is null || read is null)
        {
            return Unread(expected, read, gold, found);
        }

        var budget = new Budget(Budget.Default);
        var matcher = new AnswerMatcher(options, budget);
        if (!options.Strict)
        {
            read = RenameByPosition(expected, read);
        }

        return matcher.Equal(expected, read) switch
        {
            true => new Comparison(AnswerMatch.Equal, "equal"),
            false => new Comparison(AnswerMatch.Different, "not equal"),
            null => string.Equals(gold, found, StringComparison.Ordinal) && AnswerMatcher.IsDefined(expected)
                ? new Comparison(AnswerMatch.Equal, "same text")
                : new Comparison(AnswerMatch.Different, "too large or too close to decide"),
        };
    }

    private static string Clean(string text) => text.Length > 4 * MaxLength ? text.Trim() : AnswerText.Clean(text);

    /// <summary>A letter against a labelled choice: B against (B) 12. Null if neither is one.</summary>
    private static bool? Choice(string gold, string found)
    {
        if (WordText.ChoiceLetter(gold) is char a && WordText.ChoiceLetter(found) is char b)
        {
            return a == b;
        }

        if (WordText.ChoiceLetter(gold) is char letter && WordText.ChoiceLabel(found) is char label)
        {
            return letter == label;
        }

        return WordText.ChoiceLabel(gold) is char expected && WordText.ChoiceLetter(found) is char chosen ? expected == chosen : null;
    }

    private static bool AreWords(string text) => AnswerText.IsProse(WordText.Strip(text)) || AnswerText.DateOf(text) is not null;

    private static Expr? Read(string text) => WordText.IsNoSolution(text) ? Sequence.EmptySet : text == "NO" || WordText.IsAcronym(text) ? new Words(text) : AllBut(text) ?? ExpressionParser.Parse(text) ?? (AnswerText.IsProse(text) || AnswerText.IsDate(text) ? new Words(text) : null);

    /// <summary>"All real numbers except 2": the line without what is named.</summary>
    private static SetOperation? AllBut(string text)
    {
        int except = text.IndexOf(" except", StringComparison.OrdinalIgnoreCase);
        if (except < 0 || text.Length > 200 || !text.Contains("real", StringComparison.OrdinalIgnoreCase) || !text.TrimStart('\\', 't', 'e', 'x', '{', '$', ' ').StartsWith("all real", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        string rest = text[(except + " except".Length)..].Replace("}", " ", StringComparison.Ordinal).Trim();
        rest = rest.StartsWith("for ", StringComparison.OrdinalIgnoreCase) ? rest[4..] : rest;
        Expr? points = rest.Contains('{', StringComparison.Ordinal) ? null : ExpressionParser.Parse(rest);
        points = points is Relation { Operands: [Symbol, Expr value], Signs: [{ Kind: RelationKind.Equal }] } ? value : points;
        return points is Sequence { Open: Bracket.None } list ? new SetOperation(SetOperator.Difference, new NamedSet("R"), list with { Open = Bracket.Brace, Close = Bracket.Brace })
            : points is not null and not Words && ExpressionTree.IsScalar(points) ? new SetOperation(SetOperator.Difference, new NamedSet("R"), new Sequence(Bracket.Brace, Bracket.Brace, [points], Connector.Comma))
            : null;
    }

    /// <summary>What cannot be read as mathematics equals only the same text.</summary>
    private static Comparison Unread(Expr? expected, Expr? read, string gold, string found)
    {
        if (expected is null or Words && read is null or Words && string.Equals(WordText.Strip(gold), WordText.Strip(found), StringComparison.Ordinal) && WordText.Strip(gold).Length > 0)
        {
            return new Comparison(AnswerMatch.Equal, "same text");
        }

        return expected is null
            ? new Comparison(AnswerMatch.Undecided, "the reference cannot be read")
            : new Comparison(AnswerMatch.Different, "the answer cannot be read");
    }

    private static Expr RenameByPosition(Expr expected, Expr read)
    {
        string[] names = [.. ExpressionTree.Symbols(expected)];
        string[] found = [.. ExpressionTree.Symbols(read)];
        if (names.Length != found.Length)
        {
            return read;
        }

        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < names.Length; i++)
        {
            map[found[i]] = names[i];
        }

        return ExpressionTree.Substitute(read, symbol => new Symbol(map.GetValueOrDefault(symbol.Name, symbol.Name)));
    }
}
