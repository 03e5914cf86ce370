using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>
/// Rotary position embedding in Hugging Face's layout: element i of a head is paired with element i + D/2, and the pair is turned by
/// the angle a(p, i) = p · θ^(−2i/D) at position p. Source: Su et al. 2021, equation 34.
/// As x·cos(a) + (x rolled by half a head)·s·sin(a), s = −1 in the first half, it costs three calls: the sign is stored with the sine.
/// </summary>
public sealed class RotaryTable : IDisposable
{
    /// <summary>Angles are computed in float32 as the models were trained with, sine and cosine in float64, then rounded to the type of the computation.</summary>
    public RotaryTable(int positions, int headSize, double theta, Device device, ScalarType dtype, RopeScaling? scaling)
    {
        int half = headSize / 2;
        float[] cos = new float[positions * headSize];
        float[] sin = new float[positions * headSize];
        for (int i = 0; i < half; i++)
        {
            double unscaled = 1.0 / Math.Pow(theta, 2.0 * i / headSize);
            float frequency = (float)(scaling?.Apply(unscaled) ?? unscaled);
            for (int p = 0; p < positions; p++)
            {
                (double sine, double cosine) = Math.SinCos((double)(p * frequency));
                int first = p * headSize + i;
                cos[first] = cos[first + half] = (float)cosine;
                sin[first] = -(float)sine;
                sin[first + half] = (float)sine;
            }
        }

        using IDisposable _ = NewDisposeScope();
        Cos = tensor(cos, [positions, headSize]).to(dtype).to(device).DetachFromDisposeScope();
        SignedSin = tensor(sin, [positions, headSize]).to(dtype).to(device).DetachFromDisposeScope();
        HalfHead = half;
    }

    /// <summary><c>[positions, D]</c></summary>
    public Tensor Cos { get; }

    /// <summary><c>[positions, D]</c>, negated in the first half of the head.</summary>
    public Tensor SignedSin { get; }

    private int HalfHead { get; }

    /// <summary>Turns x <c>[..., D]</c> by rows of the table that broadcast against it.</summary>
    public Tensor Turn(Tensor x, Tensor cos, Tensor signedSin) => x.mul(cos).addcmul_(x.roll(HalfHead, -1), signedSin, 1);

    public void Dispose()
    {
        Cos.Dispose();
        SignedSin.Dispose();
    }
}
