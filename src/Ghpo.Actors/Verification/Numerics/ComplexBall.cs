namespace Ghpo.Verification.Numerics;

/// <summary>A complex number by two balls. Branches are the principal ones; on the cut of the logarithm the argument is +π.</summary>
internal readonly record struct ComplexBall(Ball Re, Ball Im)
{
    public static readonly ComplexBall Unknown = new(Ball.Unknown, Ball.Unknown);
    public static readonly ComplexBall One = new(Ball.One, Ball.Zero);
    public static readonly ComplexBall Zero = new(Ball.Zero, Ball.Zero);
    public static readonly ComplexBall I = new(Ball.Zero, Ball.One);

    public bool IsUnknown => Re.IsUnknown || Im.IsUnknown;

    public bool IsReal => Im.IsExactZero;

    public bool MayBeZero => Re.MayBeZero && Im.MayBeZero;

    public double Magnitude => Math.Max(Re.Magnitude, Im.Magnitude);

    public double Radius => Math.Max(Re.Radius, Im.Radius);

    public static implicit operator ComplexBall(Ball re) => new(re, Ball.Zero);

    public static ComplexBall operator -(ComplexBall a) => new(-a.Re, -a.Im);

    public static ComplexBall Add(ComplexBall a, ComplexBall b, int p) => new(Ball.Add(a.Re, b.Re, p), a.IsReal && b.IsReal ? Ball.Zero : Ball.Add(a.Im, b.Im, p));

    public static ComplexBall Subtract(ComplexBall a, ComplexBall b, int p) => Add(a, -b, p);

    public static ComplexBall Multiply(ComplexBall a, ComplexBall b, int p) => (a.IsReal, b.IsReal) switch
    {
        (true, true) => Ball.Multiply(a.Re, b.Re, p),
        (true, false) => new ComplexBall(Ball.Multiply(a.Re, b.Re, p), Ball.Multiply(a.Re, b.Im, p)),
        (false, true) => new ComplexBall(Ball.Multiply(a.Re, b.Re, p), Ball.Multiply(a.Im, b.Re, p)),
        _ => new ComplexBall(
            Ball.Subtract(Ball.Multiply(a.Re, b.Re, p), Ball.Multiply(a.Im, b.Im, p), p),
            Ball.Add(Ball.Multiply(a.Re, b.Im, p), Ball.Multiply(a.Im, b.Re, p), p)),
    };

    public static ComplexBall Divide(ComplexBall a, ComplexBall b, int p)
    {
        if (b.IsReal)
        {
            return new(Ball.Divide(a.Re, b.Re, p), a.IsReal ? Ball.Zero : Ball.Divide(a.Im, b.Re, p));
        }

        Ball square = SquaredModulus(b, p);
        ComplexBall above = Multiply(a, new ComplexBall(b.Re, -b.Im), p);
        return new(Ball.Divide(above.Re, square, p), Ball.Divide(above.Im, square, p));
    }

    public static Ball Modulus(ComplexBall a, int p)
    {
        if (!a.IsReal)
        {
            return Ball.SquareRoot(SquaredModulus(a, p), p);
        }

        return a.Re.Sign != 0 || a.Re.IsExactZero ? (a.Re.Sign < 0 ? -a.Re : a.Re) : new Ball(System.Numerics.BigInteger.Zero, 0, a.Re.Bound);
    }

    public static ComplexBall SquareRoot(ComplexBall a, int p)
    {
        if (a.IsReal)
        {
            return a.Re.Sign < 0 ? new(Ball.Zero, Ball.SquareRoot(-a.Re, p)) : (ComplexBall)Ball.SquareRoot(a.Re, p);
        }

        // √a = √((|a| + Re a) / 2) + i sgn(Im a) √((|a| − Re a) / 2)
        Ball modulus = Modulus(a, p);
        Ball re = Ball.SquareRoot(Half(Ball.Add(modulus, a.Re, p)), p);
        Ball im = Ball.SquareRoot(Half(Ball.Subtract(modulus, a.Re, p)), p);
        return new(re, a.Im.Sign < 0 ? -im : im);
    }

    public static ComplexBall Exp(ComplexBall a, int p)
    {
        Ball size = Elementary.Exp(a.Re, p);
        if (a.IsReal)
        {
            return size;
        }

        (Ball sin, Ball cos) = Elementary.SinCos(a.Im, p);
        return new(Ball.Multiply(size, cos, p), Ball.Multiply(size, sin, p));
    }

    public static ComplexBall Log(ComplexBall a, int p)
    {
        if (a.IsReal && a.Re.Sign > 0)
        {
            return Elementary.Log(a.Re, p);
        }

        return new(Elementary.Log(Modulus(a, p), p), Argument(a, p));
    }

    /// <summary>The argument in (−π, π].</summary>
    public static Ball Argument(ComplexBall a, int p)
    {
        if (a.IsReal)
        {
            return a.Re.Sign > 0 ? Ball.Zero : a.Re.Sign < 0 ? Elementary.Pi(p) : Ball.Unknown;
        }

        if (a.Re.Sign > 0)
        {
            return Elementary.Atan(Ball.Divide(a.Im, a.Re, p), p);
        }

        // arg = ±π/2 − arctan(Re / Im)
        if (a.Im.Sign != 0)
        {
            Ball half = Half(Elementary.Pi(p));
            return Ball.Subtract(a.Im.Sign > 0 ? half : -half, Elementary.Atan(Ball.Divide(a.Re, a.Im, p), p), p);
        }

        return a.Re.Sign < 0 ? Ball.Add(Elementary.Pi(p), Elementary.Atan(Ball.Divide(a.Im, a.Re, p), p), p) : Ball.Unknown;
    }

    public static ComplexBall Sin(ComplexBall a, int p)
    {
        (Ball sin, Ball cos) = Elementary.SinCos(a.Re, p);
        if (a.IsReal)
        {
            return sin;
        }

        (Ball sinh, Ball cosh) = Hyperbolic(a.Im, p);
        return new(Ball.Multiply(sin, cosh, p), Ball.Multiply(cos, sinh, p));
    }

    public static ComplexBall Cos(ComplexBall a, int p)
    {
        (Ball sin, Ball cos) = Elementary.SinCos(a.Re, p);
        if (a.IsReal)
        {
            return cos;
        }

        (Ball sinh, Ball cosh) = Hyperbolic(a.Im, p);
        return new(Ball.Multiply(cos, cosh, p), -Ball.Multiply(sin, sinh, p));
    }

    public static ComplexBall Atan(ComplexBall a, int p)
    {
        if (a.IsReal)
        {
            return Elementary.Atan(a.Re, p);
        }

        // arctan z = (i/2) (ln(1 − iz) − ln(1 + iz))
        ComplexBall iz = Multiply(I, a, p);
        ComplexBall difference = Subtract(Log(Subtract(One, iz, p), p), Log(Add(One, iz, p), p), p);
        ComplexBall product = Multiply(I, difference, p);
        return new(Half(product.Re), Half(product.Im));
    }

    public static ComplexBall Asin(ComplexBall a, int p)
    {
        ComplexBall root = SquareRoot(Subtract(One, Multiply(a, a, p), p), p);
        if (a.IsReal && root.IsReal)
        {
            // arcsin x = 2 arctan(x / (1 + √(1 − x²)))
            Ball half = Elementary.Atan(Ball.Divide(a.Re, Ball.Add(Ball.One, root.Re, p), p), p);
            return new Ball(half.Mantissa, half.Exponent + 1, half.Radius + 1);
        }

        // arcsin z = −i ln(iz + √(1 − z²))
        return Multiply(-I, Log(Add(Multiply(I, a, p), root, p), p), p);
    }

    public static ComplexBall Acos(ComplexBall a, int p) => Subtract(Half(Elementary.Pi(p)), Asin(a, p), p);

    public static (Ball Sinh, Ball Cosh) Hyperbolic(Ball x, int p)
    {
        // Near 0 the two exponentials cancel; as many bits more keep the relative precision.
        int wide = p + 8 + (x.Mantissa.IsZero ? 0 : (int)Math.Clamp(-Math.Max(x.Magnitude, x.Radius), 0, 20_000));
        Ball up = Elementary.Exp(x, wide);
        Ball down = Elementary.Exp(-x, wide);
        return (Half(Ball.Subtract(up, down, wide)), Half(Ball.Add(up, down, wide)));
    }

    private static Ball SquaredModulus(ComplexBall a, int p) => Ball.Add(Ball.Multiply(a.Re, a.Re, p), Ball.Multiply(a.Im, a.Im, p), p);

    private static Ball Half(Ball a) => new(a.Mantissa, a.Exponent - 1, a.Radius - 1);
}
