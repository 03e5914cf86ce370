using Ghpo.Verification.Expressions;
using Ghpo.Verification.Numerics;

namespace Ghpo.Verification.Equivalence;

/// <summary>Powers of generators, sorted by generator; each entry is generator · 2^16 + exponent.</summary>
internal readonly struct Monomial : IEquatable<Monomial>
{
    public static readonly Monomial One = new([]);

    private readonly int[] _powers;
    private readonly int _hash;

    public Monomial(int[] powers)
    {
        _powers = powers;
        var hash = default(HashCode);
        foreach (int power in powers)
        {
            hash.Add(power);
        }

        _hash = hash.ToHashCode();
    }

    public ReadOnlySpan<int> Powers => _powers;

    public static int Generator(int power) => power >> 16;

    public static int Exponent(int power) => power & 0xFFFF;

    public bool Equals(Monomial other) => _hash == other._hash && Powers.SequenceEqual(other.Powers);

    public override bool Equals(object? obj) => obj is Monomial other && Equals(other);

    public override int GetHashCode() => _hash;
}

/// <summary>What a polynomial's unknowns stand for: nothing is known of a free one, a square root's square is a rational number.</summary>
/// <param name="budget">Pays for the products of terms.</param>
internal sealed class Generators(Budget budget)
{
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
    private readonly List<Rational?> _squares = [];

    /// <summary>π and e both occur: nobody has proved them independent.</summary>
    public bool HasPiAndE => _index.ContainsKey("#pi") && _index.ContainsKey("#e");

    public Budget Budget => budget;

    /// <param name="square">The square of the generator, null for a free one.</param>
    public int Of(string name, Rational? square = null)
    {
        if (!_index.TryGetValue(name, out int index))
        {
            index = _squares.Count;
            _index.Add(name, index);
            _squares.Add(square);
        }

        return index;
    }

    public Rational? Square(int generator) => _squares[generator];
}

/// <summary>
/// A polynomial with rational coefficients in the generators, no term zero, square roots to the first power at most: equal polynomials have equal terms.
/// Operations beyond the caps on terms, degrees and digits give null.
/// </summary>
internal sealed class Polynomial
{
    private const int MaxTerms = 400;
    private const int MaxProducts = 20_000;
    private const int MaxDegree = 2_000;
    private const int MaxBits = 4_000;

    private readonly Dictionary<Monomial, Rational> _terms;

    private Polynomial(Dictionary<Monomial, Rational> terms) => _terms = terms;

    public bool IsZero => _terms.Count == 0;

    public bool IsOne => _terms.Count == 1 && _terms.TryGetValue(Monomial.One, out Rational value) && value.IsOne;

    public static Polynomial Of(Rational value)
    {
        var terms = new Dictionary<Monomial, Rational>();
        if (!value.IsZero)
        {
            terms.Add(Monomial.One, value);
        }

        return new Polynomial(terms);
    }

    public static Polynomial OfGenerator(int generator) => new(new Dictionary<Monomial, Rational> { [new Monomial([(generator << 16) | 1])] = Rational.One });

    public static Polynomial? Add(Polynomial a, Polynomial b, bool subtract = false)
    {
        if (a._terms.Count + b._terms.Count > 2 * MaxTerms)
        {
            return null;
        }

        var terms = new Dictionary<Monomial, Rational>(a._terms);
        foreach ((Monomial monomial, Rational coefficient) in b._terms)
        {
            if (!Accumulate(terms, monomial, subtract ? -coefficient : coefficient))
            {
                return null;
            }
        }

        return terms.Count > MaxTerms ? null : new Polynomial(terms);
    }

    public static Polynomial? Multiply(Polynomial a, Polynomial b, Generators generators)
    {
        if ((long)a._terms.Count * b._terms.Count > MaxProducts || !generators.Budget.Spend(a._terms.Count + b._terms.Count))
        {
            return null;
        }

        if (a.IsOne || b.IsOne)
        {
            return a.IsOne ? b : a;
        }

        var terms = new Dictionary<Monomial, Rational>();
        foreach ((Monomial left, Rational x) in a._terms)
        {
            foreach ((Monomial right, Rational y) in b._terms)
            {
                // A product and a sum of fractions cost a gcd, nearly quadratic in their bits.
                long bits = Rational.Bits(x) + Rational.Bits(y);
                if (!generators.Budget.Spend(2 + (bits / 64) + (bits * bits / 65_536)) || Rational.Multiply(x, y) is not Rational coefficient || Product(left, right, generators, ref coefficient) is not Monomial monomial
                    || !Accumulate(terms, monomial, coefficient) || terms.Count > MaxTerms)
                {
                    return null;
                }
            }
        }

        return new Polynomial(terms);
    }

    private static bool Accumulate(Dictionary<Monomial, Rational> terms, Monomial monomial, Rational coefficient)
    {
        if (!terms.TryGetValue(monomial, out Rational before))
        {
            terms.Add(monomial, coefficient);
            return Rational.Bits(coefficient) <= MaxBits;
        }

        if (Rational.Add(before, coefficient) is not Rational sum || Rational.Bits(sum) > MaxBits)
        {
            return false;
        }

        if (sum.IsZero)
        {
            terms.Remove(monomial);
        }
        else
        {
            terms[monomial] = sum;
        }

        return true;
    }

    /// <summary>Adds the exponents; the square of a root goes into the coefficient.</summary>
    private static Monomial? Product(Monomial a, Monomial b, Generators generators, ref Rational coefficient)
    {
        ReadOnlySpan<int> x = a.Powers;
        ReadOnlySpan<int> y = b.Powers;
        if (x.Length == 0 || y.Length == 0)
        {
            return x.Length == 0 ? b : a;
        }

        var powers = new List<int>(x.Length + y.Length);
        int i = 0;
        int j = 0;
        while (i < x.Length || j < y.Length)
        {
            int left = i < x.Length ? Monomial.Generator(x[i]) : int.MaxValue;
            int right = j < y.Length ? Monomial.Generator(y[j]) : int.MaxValue;
            int generator = Math.Min(left, right);
            int exponent = (left == generator ? Monomial.Exponent(x[i++]) : 0) + (right == generator ? Monomial.Exponent(y[j++]) : 0);
            if (exponent > 1 && generators.Square(generator) is Rational square)
            {
                // Both factors have the root to the first power.
                if (Rational.Multiply(coefficient, square) is not Rational next)
                {
                    return null;
                }

                coefficient = next;
                exponent -= 2;
            }

            if (exponent > MaxDegree)
            {
                return null;
            }

            if (exponent > 0)
            {
                powers.Add((generator << 16) | exponent);
            }
        }

        return new Monomial([.. powers]);
    }
}
