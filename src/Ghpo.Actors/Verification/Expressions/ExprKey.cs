using System.Globalization;
using System.Text;

namespace Ghpo.Verification.Expressions;

/// <summary>An expression as text, the same for trees that differ only in the order of sums, products, sets and lists.</summary>
internal static class ExprKey
{
    public static string Of(Expr expr) => expr switch
    {
        Number number => NumberKey(number.Value),
        Symbol symbol => symbol.Name,
        Constant constant => "#" + constant.Kind,
        Sum sum => "(+ " + Sorted(sum.Terms) + ")",
        Product product => "(* " + Sorted(product.Factors) + ")",
        Power power => "(^ " + Of(power.Base) + " " + Of(power.Exponent) + ")",
        Root root => "(root " + Of(root.Radicand) + " " + Of(root.Index) + ")",
        Call call => "(" + call.Name + " " + Ordered(call.Arguments) + ")",
        PlusMinus pair => "(+- " + Of(pair.Left) + " " + Of(pair.Right) + ")",
        Percent percent => "(% " + Of(percent.Value) + ")",
        Quantity quantity => "(unit " + Of(quantity.Value) + " " + quantity.Unit + ")",
        Sequence { Open: Bracket.None or Bracket.Brace or Bracket.BareBrace } list => "(set " + Sorted(list.Items) + ")",
        Sequence sequence => "(" + sequence.Open + " " + Ordered(sequence.Items) + " " + sequence.Close + ")",
        SetOperation operation => "(" + operation.Operator + " " + Of(operation.Left) + " " + Of(operation.Right) + ")",
        Relation relation => "(rel " + Ordered(relation.Operands) + " " + string.Join(',', relation.Signs.Select(sign => sign.Kind + sign.Name)) + ")",
        Matrix matrix => "(matrix " + string.Join(';', matrix.Rows.Select(row => Ordered(row))) + ")",
        Ratio ratio => "(: " + Ordered(ratio.Parts) + ")",
        SetBuilder builder => "(such " + Of(builder.Element) + " " + Of(builder.Condition) + ")",
        NamedSet named => "#" + named.Name,
        BasedNumber based => "(base " + based.Digits + " " + based.Base + ")",
        Words words => "\"" + words.Text + "\"",
        _ => throw new ArgumentOutOfRangeException(nameof(expr), expr.GetType(), "Unknown kind of expression."),
    };

    /// <summary>A hash that is the same in every process.</summary>
    public static ulong GetHashCodeStable(this string text)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 1099511628211;
        }

        return hash;
    }

    private static string NumberKey(Rational value)
    {
        var text = new StringBuilder(value.Numerator.ToString("X", CultureInfo.InvariantCulture));
        return value.IsInteger ? text.ToString() : text.Append('/').Append(value.Denominator.ToString("X", CultureInfo.InvariantCulture)).ToString();
    }

    private static string Ordered(IEnumerable<Expr> parts) => string.Join(' ', parts.Select(Of));

    private static string Sorted(IEnumerable<Expr> parts) => string.Join(' ', parts.Select(Of).Order(StringComparer.Ordinal));
}
