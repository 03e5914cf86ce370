using System.Collections.Immutable;
using System.Numerics;
using Ghpo.Verification.Expressions;

namespace Ghpo.Verification.Numerics;

/// <summary>Values for what is not evaluated: a hash of its name and of the values in it.</summary>
internal sealed partial class Evaluator
{
    private const int HashBits = 80;

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
