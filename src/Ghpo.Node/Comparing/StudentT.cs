namespace Ghpo.Node.Comparing;

/// <summary>Student's t distribution with a whole number ν of degrees of freedom.</summary>
public static class StudentT
{
    /// <summary>
    /// A(t|ν) = P(|T| ≤ t), by the finite sums of Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4, with
    /// θ = arctan(t/√ν):
    /// ν = 1: 2θ/π; ν odd: 2/π {θ + sin θ [cos θ + 2/3 cos³θ + … + (2·4⋯(ν−3))/(1·3⋯(ν−2)) cos^{ν−2}θ]};
    /// ν even: sin θ {1 + 1/2 cos²θ + … + (1·3⋯(ν−3))/(2·4⋯(ν−2)) cos^{ν−2}θ}.
    /// </summary>
    public static double TwoSided(double t, int degreesOfFreedom)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(degreesOfFreedom, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(t);
        double theta = Math.Atan(t / Math.Sqrt(degreesOfFreedom));
        double cosine = Math.Cos(theta);
        bool odd = degreesOfFreedom % 2 == 1;
        double term = odd ? cosine : 1;
        double sum = degreesOfFreedom == 1 ? 0 : term;
        for (int power = odd ? 3 : 2; power <= degreesOfFreedom - 2; power += 2)
        {
            term *= cosine * cosine * (power - 1) / power;
            sum += term;
        }

        return odd ? 2 / Math.PI * (theta + Math.Sin(theta) * sum) : Math.Sin(theta) * sum;
    }

    /// <summary>The t with P(|T| ≤ t) = <paramref name="probability"/>, to the last bits, by bisection.</summary>
    public static double TwoSidedQuantile(double probability, int degreesOfFreedom)
    {
        if (probability is not (> 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(probability), probability, "must lie between 0 and 1");
        }

        double low = 0;
        double high = 1;
        while (TwoSided(high, degreesOfFreedom) < probability)
        {
            high *= 2;
        }

        while (true)
        {
            double middle = low + (high - low) / 2;
            if (middle <= low || middle >= high)
            {
                return middle;
            }

            if (TwoSided(middle, degreesOfFreedom) < probability)
            {
                low = middle;
            }
            else
            {
                high = middle;
            }
        }
    }
}
