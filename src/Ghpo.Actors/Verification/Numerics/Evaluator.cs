using System.Collections.Immutable;
using System.Numerics;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Numerics;

/// <summary>
/// Evaluates a scalar expression at one point, at one precision. Functions that it does not know get a value that depends on their name and the values of
/// their arguments alone: equal arguments give equal values, and nothing else is known of them.
/// </summary>
/// <param name="point">Values of the symbols.</param>
/// <param name="precision">Bits.</param>
/// <param name="logBase10">A bare log is to base 10, not natural.</param>
/// <param name="complex">The imaginary unit occurs: roots and powers of negative numbers are the principal ones.</param>
internal sealed class Evaluator(IReadOnlyDictionary<string, ComplexBall> point, int precision, bool logBase10, bool complex, Budget budget)
{
    private const int HashBits = 80;

    /// <summary>A divisor, or the argument of a logarithm, may be 0: at ever higher precision that means that it is.</summary>
    public bool Singular { get; private set; }

    /// <summary>A value is too large for the evaluator, or the budget is spent.</summary>
    public bool TooLarge { get; private set; }

    /// <summary>Sum of |log2| of the intermediate values: how deep a difference may hide.</summary>
    public double Depth { get; private set; }

    public ComplexBall Evaluate(Expr expr)
    {
        if (TooLarge || !budget.Spend(Budget.Arithmetic(precision)))
        {
            TooLarge = true;
            return ComplexBall.Unknown;
        }

        ComplexBall value = Value(expr);
        double magnitude = Math.Abs(value.Magnitude);
        if (magnitude > 32 && !double.IsInfinity(magnitude) && !value.IsUnknown && !value.MayBeZero)
        {
            Depth += magnitude;
        }

        return value;
    }

    private ComplexBall Value(Expr expr)
    {
        switch (expr)
        {
            case Number number:
                return Ball.Of(number.Value, precision);
            case Symbol symbol:
                return point.TryGetValue(symbol.Name, out ComplexBall at) ? at : ComplexBall.Unknown;
            case Constant constant:
                return ConstantValue(constant.Kind);
            case Sum sum:
                ComplexBall total = ComplexBall.Zero;
                foreach (Expr term in sum.Terms)
                {
                    total = ComplexBall.Add(total, Evaluate(term), precision);
                }

                return total;
            case Product product:
                ComplexBall result = ComplexBall.One;
                foreach (Expr factor in product.Factors)
                {
                    result = factor is Power { Exponent: Number { Value: var exponent } } inverse && exponent == Rational.MinusOne
                        ? Quotient(result, Evaluate(inverse.Base))
                        : ComplexBall.Multiply(result, Evaluate(factor), precision);
                }

                return result;
            case Power power:
                return PowerValue(power);
            case Root root:
                return RootValue(root);
            case Percent percent:
                return ComplexBall.Divide(Evaluate(percent.Value), Ball.Of(100), precision);
            case Quantity quantity:
                return Evaluate(quantity.Value);
            case Call call:
                return CallValue(call);
            default:
                return Opaque("structure", [expr]);
        }
    }

    private ComplexBall ConstantValue(ConstantKind kind) => kind switch
    {
        ConstantKind.Pi => Elementary.Pi(precision),
        ConstantKind.E => Elementary.Exp(Ball.One, precision),
        ConstantKind.I => ComplexBall.I,
        ConstantKind.Degree => Ball.Divide(Elementary.Pi(precision + 16), Ball.Of(180), precision),
        _ => ComplexBall.Unknown,
    };

    private ComplexBall Quotient(ComplexBall a, ComplexBall b)
    {
        if (!b.IsUnknown && b.MayBeZero)
        {
            Singular = true;
            return ComplexBall.Unknown;
        }

        return ComplexBall.Divide(a, b, precision);
    }

    private ComplexBall PowerValue(Power power)
    {
        if (power.Base is Constant { Kind: ConstantKind.E })
        {
            budget.Spend(Budget.Function(precision));
            return Large(ComplexBall.Exp(Evaluate(power.Exponent), precision), power.Exponent);
        }

        ComplexBall value = Evaluate(power.Base);
        if (power.Exponent is Number { Value: { IsInteger: false } fraction } && fraction.Denominator < 1000)
        {
            int index = (int)fraction.Denominator;
            ComplexBall root = RootOf(value, index);
            return IntegerPower(root, fraction.Numerator);
        }

        ComplexBall exponent = Evaluate(power.Exponent);
        if (value.IsUnknown || exponent.IsUnknown)
        {
            return ComplexBall.Unknown;
        }

        if (exponent.IsReal && exponent.Re.IsExact && IsInteger(exponent.Re, out BigInteger n))
        {
            return IntegerPower(value, n);
        }

        if (value.MayBeZero)
        {
            Singular |= exponent.Re.Sign <= 0;
            return value.Re.IsExactZero && value.IsReal && exponent.Re.Sign > 0 ? ComplexBall.Zero : ComplexBall.Unknown;
        }

        budget.Spend(4 * Budget.Function(precision));
        return Large(ComplexBall.Exp(ComplexBall.Multiply(exponent, ComplexBall.Log(value, precision + 32), precision + 32), precision), power);
    }

    private ComplexBall Large(ComplexBall value, Expr _)
    {
        TooLarge |= value.IsUnknown && !Singular;
        return value;
    }

    private ComplexBall IntegerPower(ComplexBall value, BigInteger n)
    {
        if (value.IsUnknown)
        {
            return value;
        }

        if (n.Sign <= 0 && value.MayBeZero)
        {
            Singular = true;
            return ComplexBall.Unknown;
        }

        if (BigInteger.Abs(n) > long.MaxValue / 4 || (Math.Abs(value.Magnitude) + 1) * (double)BigInteger.Abs(n) > 1e12)
        {
            TooLarge = true;
            return ComplexBall.Unknown;
        }

        var exponent = (long)n;
        budget.Spend(2 * n.GetBitLength() * Budget.Arithmetic(precision));
        if (value.IsReal)
        {
            return Ball.Power(value.Re, exponent, precision);
        }

        ComplexBall result = ComplexBall.One;
        ComplexBall factor = value;
        for (ulong k = (ulong)Math.Abs(exponent); k > 0; k >>= 1)
        {
            result = (k & 1) == 1 ? ComplexBall.Multiply(result, factor, precision) : result;
            factor = k > 1 ? ComplexBall.Multiply(factor, factor, precision) : factor;
        }

        return exponent < 0 ? Quotient(ComplexBall.One, result) : result;
    }

    private ComplexBall RootValue(Root root)
    {
        ComplexBall radicand = Evaluate(root.Radicand);
        if (root.Index is Number { Value: { IsInteger: true, Sign: > 0 } index } && index.Numerator < 1000)
        {
            return RootOf(radicand, (int)index.Numerator);
        }

        ComplexBall n = Evaluate(root.Index);
        return radicand.MayBeZero ? ComplexBall.Unknown
            : ComplexBall.Exp(Quotient(ComplexBall.Log(radicand, precision + 32), n), precision);
    }

    private ComplexBall RootOf(ComplexBall value, int index)
    {
        budget.Spend(index == 2 ? 4 * Budget.Arithmetic(precision) : 4 * Budget.Function(precision));
        if (value.IsUnknown || index == 1)
        {
            return value;
        }

        if (index == 2)
        {
            return ComplexBall.SquareRoot(value, precision);
        }

        if (value.IsReal && value.Re.MayBeZero)
        {
            return value.Re.IsExactZero ? ComplexBall.Zero : new Ball(BigInteger.Zero, 0, value.Re.Bound / index);
        }

        if (value.IsReal && value.Re.Sign < 0 && index % 2 == 1 && !complex)
        {
            return -RootOf(-value.Re, index);
        }

        ComplexBall logarithm = ComplexBall.Log(value, precision + 32);
        return ComplexBall.Exp(ComplexBall.Divide(logarithm, Ball.Of(index), precision + 32), precision);
    }

    private ComplexBall CallValue(Call call)
    {
        budget.Spend((call.Name is "ln" or "log" ? 3 : 1) * Budget.Function(precision));
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
        or "sgn" or "Re" or "Im" or "arg" or "Arg";

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
            // A value that may be just below or just above a whole number is that number only if nothing tells them apart at any precision.
            Ball above = Ball.Subtract(x.Re, Ball.Of(floor + 1), 64 + x.Re.Mantissa.IsZero.GetHashCode() + (int)x.Re.Mantissa.GetBitLength());
            Ball below = Ball.Subtract(x.Re, Ball.Of(floor), 64 + (int)x.Re.Mantissa.GetBitLength());
            floor = above.MayBeZero && above.Radius < -64 ? floor + 1 : floor;
            if ((above.MayBeZero && above.Radius >= -64) || (below.MayBeZero && below.Radius >= -64))
            {
                return ComplexBall.Unknown;
            }
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

    private ComplexBall Opaque(string name, ImmutableArray<Expr> arguments)
    {
        ulong hash = name.GetHashCodeStable();
        foreach (Expr argument in arguments)
        {
            hash = Mix(hash ^ HashOf(argument));
        }

        return TooLarge ? ComplexBall.Unknown : HashValue(hash);
    }

    /// <summary>A hash of what an expression means: of its value where it has one, else of its parts.</summary>
    private ulong HashOf(Expr expr)
    {
        switch (expr)
        {
            case Relation relation:
                ulong hash = 17;
                for (int i = 0; i < relation.Operands.Length; i++)
                {
                    hash = Mix(hash ^ HashOf(relation.Operands[i]));
                    hash = i < relation.Signs.Length ? Mix(hash ^ (ulong)relation.Signs[i].Kind ^ relation.Signs[i].Name.GetHashCodeStable()) : hash;
                }

                return hash;
            case Sequence sequence:
                return sequence.Items.Aggregate(Mix((ulong)sequence.Open + 31), (seed, item) => Mix(seed ^ HashOf(item)));
            case Matrix matrix:
                return matrix.Rows.SelectMany(row => row).Aggregate(Mix((ulong)matrix.Columns + 77), (seed, item) => Mix(seed ^ HashOf(item)));
            case Constant { Kind: ConstantKind.Infinity }:
                return 0x1F1F;
            case Words words:
                return words.Text.GetHashCodeStable();
            case SetOperation or SetBuilder or NamedSet or Ratio or BasedNumber or PlusMinus or Constant { Kind: ConstantKind.Undefined }:
                return ExprKey.Of(expr).GetHashCodeStable();
            default:
                ComplexBall value = Evaluate(expr);
                if (value.IsUnknown)
                {
                    return ExprKey.Of(expr).GetHashCodeStable();
                }

                return Hash(value);
        }
    }

    private static ulong Hash(ComplexBall value) => Mix(Hash(value.Re) ^ Mix(Hash(value.Im) + 5));

    /// <summary>The leading bits, rounded to nearest: values that agree to their precision hash alike.</summary>
    private static ulong Hash(Ball x)
    {
        if (x.MayBeZero)
        {
            return 3;
        }

        long shift = BigInteger.Abs(x.Mantissa).GetBitLength() - HashBits;
        BigInteger top = shift > 0 ? (x.Mantissa + (BigInteger.One << (int)(shift - 1))) >> (int)shift : x.Mantissa << (int)-shift;
        long exponent = x.Exponent + shift;
        return Mix((ulong)(top & ulong.MaxValue) ^ Mix((ulong)(long)(top >> 64)) ^ Mix((ulong)exponent));
    }

    private ComplexBall HashValue(ulong hash) => Ball.Of(Rational.Of(Mix(hash) >> 16, 1L << 46)!.Value, precision);

    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
