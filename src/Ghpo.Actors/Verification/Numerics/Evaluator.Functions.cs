using System.Collections.Immutable;
using System.Numerics;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Numerics;

/// <summary>Named functions.</summary>
internal sealed partial class Evaluator
{
    private ComplexBall CallValue(Call call)
    {
        if (!Afford((call.Name is "ln" or "log" ? 3 : 1) * Budget.Function(precision)))
        {
            return ComplexBall.Unknown;
        }

        if (call.Arguments.Length == 1 && IsUnary(call.Name))
        {
            ComplexBall x = Evaluate(call.Arguments[0]);
            return x.IsUnknown ? x : Unary(call.Name, x);
        }

        switch (call.Name)
        {
            case "min" or "max":
                return Extreme(call.Arguments, call.Name == "max" ? 1 : -1);
            case "gcd" or "lcm" or "binomial" or "mod":
                return Integers(call);
            default:
                return Opaque(call.Name, call.Arguments);
        }
    }

    private static bool IsUnary(string name) => name is "sin" or "cos" or "tan" or "cot" or "sec" or "csc" or "arcsin" or "arccos" or "arctan" or "arccot" or "arcsec" or "arccsc"
        or "sinh" or "cosh" or "tanh" or "coth" or "sech" or "csch" or "arsinh" or "arcosh" or "artanh" or "ln" or "log" or "abs" or "norm" or "floor" or "ceil" or "factorial" or "doublefactorial"
        or "sgn" or "Re" or "Im" or "conj" or "arg" or "Arg";

    private ComplexBall Unary(string name, ComplexBall x)
    {
        int p = precision;
        switch (name)
        {
            case "sin":
                return ComplexBall.Sin(x, p);
            case "cos":
                return ComplexBall.Cos(x, p);
            case "tan":
                return Quotient(ComplexBall.Sin(x, p), ComplexBall.Cos(x, p));
            case "cot":
                return Quotient(ComplexBall.Cos(x, p), ComplexBall.Sin(x, p));
            case "sec":
                return Quotient(ComplexBall.One, ComplexBall.Cos(x, p));
            case "csc":
                return Quotient(ComplexBall.One, ComplexBall.Sin(x, p));
            case "arcsin":
                return ComplexBall.Asin(x, p);
            case "arccos":
                return ComplexBall.Acos(x, p);
            case "arctan":
                return ComplexBall.Atan(x, p);
            case "arccot":
                // arccot x = π/2 − arctan x, in (0, π).
                return ComplexBall.Subtract(Ball.Divide(Elementary.Pi(p + 8), Ball.Of(2), p), ComplexBall.Atan(x, p), p);
            case "arcsec":
                return ComplexBall.Acos(Quotient(ComplexBall.One, x), p);
            case "arccsc":
                return ComplexBall.Asin(Quotient(ComplexBall.One, x), p);
            case "sinh" or "cosh" or "tanh" or "coth" or "sech" or "csch":
                return Hyperbolic(name, x);
            case "arsinh":
                return x.IsReal && x.Re.Sign < 0
                    ? -Unary(name, -x)
                    : ComplexBall.Log(ComplexBall.Add(x, ComplexBall.SquareRoot(ComplexBall.Add(ComplexBall.Multiply(x, x, p), ComplexBall.One, p), p), p), p);
            case "arcosh":
                ComplexBall roots = ComplexBall.Multiply(
                    ComplexBall.SquareRoot(ComplexBall.Subtract(x, ComplexBall.One, p), p), ComplexBall.SquareRoot(ComplexBall.Add(x, ComplexBall.One, p), p), p);
                return ComplexBall.Log(ComplexBall.Add(x, roots, p), p);
            case "artanh":
                ComplexBall quotient = Quotient(ComplexBall.Add(ComplexBall.One, x, p), ComplexBall.Subtract(ComplexBall.One, x, p));
                return ComplexBall.Divide(Logarithm(quotient), Ball.Of(2), p);
            case "ln":
                return Logarithm(x);
            case "log":
                return logBase10 ? ComplexBall.Divide(Logarithm(x), Elementary.Log(Ball.Of(10), p), p) : Logarithm(x);
            case "abs":
                return ComplexBall.Modulus(x, p);
            case "floor" or "ceil":
                return Rounded(name == "ceil" ? -x : x, name == "ceil");
            case "factorial" or "doublefactorial":
                return Factorial(x, name == "factorial" ? 1 : 2);
            case "sgn":
                return x.IsReal && (x.Re.Sign != 0 || x.Re.IsExactZero) ? Ball.Of(x.Re.Sign) : ComplexBall.Unknown;
            case "Re":
                return x.Re;
            case "Im":
                return x.Im;
            case "conj":
                return new ComplexBall(x.Re, -x.Im);
            case "arg" or "Arg":
                return ComplexBall.Argument(x, p);
            default:
                return HashValue(name.GetHashCodeStable() ^ Hash(x));
        }
    }

    private ComplexBall Hyperbolic(string name, ComplexBall x)
    {
        ComplexBall sinh;
        ComplexBall cosh;
        if (x.IsReal)
        {
            (Ball s, Ball c) = ComplexBall.Hyperbolic(x.Re, precision);
            (sinh, cosh) = (s, c);
        }
        else
        {
            // sinh z = −i sin(iz), cosh z = cos(iz)
            ComplexBall iz = ComplexBall.Multiply(ComplexBall.I, x, precision);
            (sinh, cosh) = (ComplexBall.Multiply(-ComplexBall.I, ComplexBall.Sin(iz, precision), precision), ComplexBall.Cos(iz, precision));
        }

        // tanh x differs from 1 by 2 e^(−2x).
        Depth += Math.Min(1e9, 3 * Math.Abs(x.Re.ToDouble()));
        return name switch
        {
            "sinh" => sinh,
            "cosh" => cosh,
            "tanh" => Quotient(sinh, cosh),
            "coth" => Quotient(cosh, sinh),
            "sech" => Quotient(ComplexBall.One, cosh),
            _ => Quotient(ComplexBall.One, sinh),
        };
    }

    private ComplexBall Logarithm(ComplexBall x)
    {
        if (x.MayBeZero)
        {
            Singular = true;
            return ComplexBall.Unknown;
        }

        return ComplexBall.Log(x, precision);
    }

    private static ComplexBall Rounded(ComplexBall x, bool negate)
    {
        if (!x.IsReal || x.Re.Exponent > 4096 || x.Re.Radius > -1)
        {
            return ComplexBall.Unknown;
        }

        BigInteger floor = x.Re.Exponent >= 0 ? x.Re.Mantissa << (int)x.Re.Exponent : x.Re.Exponent < -100_000 ? (x.Re.Mantissa.Sign < 0 ? -1 : 0) : x.Re.Mantissa >> (int)-x.Re.Exponent;
        if (!x.Re.IsExact)
        {
            // A value that may be just below or just above a whole number is that number only if nothing tells them apart to 64 bits.
            int bits = 64 + (int)x.Re.Mantissa.GetBitLength();
            Ball above = Ball.Subtract(x.Re, Ball.Of(floor + 1), bits);
            Ball below = Ball.Subtract(x.Re, Ball.Of(floor), bits);
            if ((above.MayBeZero && above.Radius >= -64) || (below.MayBeZero && below.Radius >= -64))
            {
                return ComplexBall.Unknown;
            }

            floor = above.MayBeZero ? floor + 1 : floor;
        }

        return Ball.Of(negate ? -floor : floor);
    }

    private ComplexBall Factorial(ComplexBall x, int step)
    {
        if (!x.IsReal || !x.Re.IsExact || !IsInteger(x.Re, out BigInteger n) || n.Sign < 0 || n > 3000)
        {
            TooLarge |= x.IsReal && x.Re.Magnitude > 11;
            return ComplexBall.Unknown;
        }

        BigInteger product = BigInteger.One;
        for (int k = (int)n; k > 1; k -= step)
        {
            product *= k;
        }

        budget.Spend((long)n);
        return Ball.Round(product, 0, double.NegativeInfinity, precision);
    }

    private ComplexBall Extreme(ImmutableArray<Expr> arguments, int sign)
    {
        ComplexBall best = Evaluate(arguments[0]);
        foreach (Expr argument in arguments[1..])
        {
            ComplexBall other = Evaluate(argument);
            if (best.IsUnknown || other.IsUnknown || !best.IsReal || !other.IsReal)
            {
                return ComplexBall.Unknown;
            }

            best = Ball.Subtract(other.Re, best.Re, precision).Sign == sign ? other : best;
        }

        return best;
    }

    private ComplexBall Integers(Call call)
    {
        var values = new List<BigInteger>();
        foreach (Expr argument in call.Arguments)
        {
            ComplexBall value = Evaluate(argument);
            if (!value.IsReal || !value.Re.IsExact || !IsInteger(value.Re, out BigInteger n))
            {
                return ComplexBall.Unknown;
            }

            values.Add(n);
        }

        return IntegerFunctions.Apply(call.Name, values) is BigInteger result ? Ball.Round(result, 0, double.NegativeInfinity, precision) : ComplexBall.Unknown;
    }

    private static bool IsInteger(Ball x, out BigInteger value)
    {
        value = BigInteger.Zero;
        if (x.Mantissa.IsZero)
        {
            return true;
        }

        if (x.Exponent is > 2000 or < -100_000)
        {
            return false;
        }

        value = x.Exponent >= 0 ? x.Mantissa << (int)x.Exponent : x.Mantissa >> (int)-x.Exponent;
        return x.Exponent >= 0 || value << (int)-x.Exponent == x.Mantissa;
    }
}
