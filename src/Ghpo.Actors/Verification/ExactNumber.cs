using System.Globalization;
using System.Numerics;
using System.Text;

namespace Ghpo.Verification;

/// <summary>
/// An exact rational number Numerator/Denominator (Denominator > 0, not reduced), read from normalised answer text: integers, decimals, thousands
/// separators, <c>a/b</c>, <c>\frac{a}{b}</c>, a sign, a percent sign. A percentage is a value of its own: 50 % equals neither 50 nor 0.5.
/// </summary>
internal readonly record struct ExactNumber(BigInteger Numerator, BigInteger Denominator, bool Percent)
{
    /// <summary>
    /// More digits than this are not read as a number. Parsing 10^4 digits takes 0.7 ms and 10^5 take 13 ms, growing faster than their count;
    /// with the cap no answer that a policy writes can stall the verifier.
    /// </summary>
    public const int MaxDigits = 10_000;

    private const string Fraction = @"\frac{";

    public bool ValueEquals(ExactNumber other) =>
        Percent == other.Percent && Numerator * other.Denominator == other.Numerator * Denominator;

    /// <summary>Null if the text is not such a number, divides by zero, or has more than <see cref="MaxDigits"/> characters.</summary>
    public static ExactNumber? Parse(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxDigits)
        {
            return null;
        }

        bool percent = text[^1] == '%';
        if (percent)
        {
            text = text[..^1];
        }

        bool negative = TakeSign(ref text);
        if (Ratio(text) is not (BigInteger numerator, BigInteger denominator))
        {
            return null;
        }

        return new ExactNumber(negative ? -numerator : numerator, denominator, percent);
    }

    private static (BigInteger Numerator, BigInteger Denominator)? Ratio(ReadOnlySpan<char> text)
    {
        if (text.StartsWith(Fraction) && text.EndsWith("}"))
        {
            ReadOnlySpan<char> inner = text[Fraction.Length..^1];
            int middle = inner.IndexOf("}{");
            return middle < 0 ? null : Quotient(inner[..middle], inner[(middle + 2)..], signed: true);
        }

        int slash = text.IndexOf('/');
        return slash < 0 ? Decimal(text) : Quotient(text[..slash], text[(slash + 1)..], signed: false);
    }

    private static (BigInteger Numerator, BigInteger Denominator)? Quotient(ReadOnlySpan<char> above, ReadOnlySpan<char> below, bool signed)
    {
        // Inside braces a sign is clear; in 1/-2 it is a typing error as often as a value.
        bool negative = signed && (TakeSign(ref above) ^ TakeSign(ref below));
        if (Decimal(above) is not (BigInteger a, BigInteger b) || Decimal(below) is not (BigInteger c, BigInteger d) || c.IsZero)
        {
            return null;
        }

        return (negative ? -a * d : a * d, b * c);
    }

    /// <summary>Digits with at most one point. The integer part may be grouped in threes by commas: 1,234,567.</summary>
    private static (BigInteger Numerator, BigInteger Denominator)? Decimal(ReadOnlySpan<char> text)
    {
        int point = text.IndexOf('.');
        ReadOnlySpan<char> whole = point < 0 ? text : text[..point];
        ReadOnlySpan<char> decimals = point < 0 ? [] : text[(point + 1)..];
        if (whole.Length + decimals.Length == 0 || decimals.ContainsAnyExceptInRange('0', '9'))
        {
            return null;
        }

        var digits = new StringBuilder(text.Length);
        if (!AppendWhole(whole, digits))
        {
            return null;
        }

        digits.Append(decimals);
        return (BigInteger.Parse(digits.ToString(), CultureInfo.InvariantCulture), BigInteger.Pow(10, decimals.Length));
    }

    private static bool AppendWhole(ReadOnlySpan<char> whole, StringBuilder digits)
    {
        int first = whole.IndexOf(',');
        if (first is 0 or > 3 || (first > 0 && whole[0] == '0'))
        {
            return false;
        }

        for (int group = 0; ; group++)
        {
            int comma = whole.IndexOf(',');
            ReadOnlySpan<char> part = comma < 0 ? whole : whole[..comma];
            if (part.ContainsAnyExceptInRange('0', '9') || (group > 0 && part.Length != 3))
            {
                return false;
            }

            digits.Append(part);
            if (comma < 0)
            {
                return true;
            }

            whole = whole[(comma + 1)..];
        }
    }

    private static bool TakeSign(ref ReadOnlySpan<char> text)
    {
        bool signed = text.Length > 0 && text[0] is '+' or '-';
        bool negative = signed && text[0] == '-';
        text = signed ? text[1..] : text;
        return negative;
    }
}
