using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Ghpo.Models.Simd;

/// <summary>What becomes of 32 columns of a product's row.</summary>
internal interface IEpilogue
{
    /// <param name="row">Row of the product.</param>
    /// <param name="panel">The columns are 32 · panel and those after it.</param>
    void Store(nint row, nint panel, Vector512<float> low, Vector512<float> high);
}

/// <summary>y = x·Wᵀ, plus the bias if there is one.</summary>
internal readonly unsafe struct StoreProduct(float* y, nint stride, float* bias) : IEpilogue
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(nint row, nint panel, Vector512<float> low, Vector512<float> high)
    {
        float* to = y + row * stride + panel * PackedMatrix.PanelColumns;
        if (bias != null)
        {
            float* added = bias + panel * PackedMatrix.PanelColumns;
            low += Vector512.Load(added);
            high += Vector512.Load(added + 16);
        }

        low.Store(to);
        high.Store(to + 16);
    }
}

/// <summary>y += x·Wᵀ, and the bias if there is one: a residual stream.</summary>
internal readonly unsafe struct AddProduct(float* y, nint stride, float* bias) : IEpilogue
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(nint row, nint panel, Vector512<float> low, Vector512<float> high)
    {
        float* to = y + row * stride + panel * PackedMatrix.PanelColumns;
        if (bias != null)
        {
            float* added = bias + panel * PackedMatrix.PanelColumns;
            low += Vector512.Load(added);
            high += Vector512.Load(added + 16);
        }

        (Vector512.Load(to) + low).Store(to);
        (Vector512.Load(to + 16) + high).Store(to + 16);
    }
}

/// <summary>y = silu(gate) · up, where a panel holds 16 columns of gate and the same 16 of up. Source: Shazeer 2020, equation 6.</summary>
internal readonly unsafe struct StoreGated(float* y, nint stride) : IEpilogue
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(nint row, nint panel, Vector512<float> low, Vector512<float> high)
    {
        Vector512<float> gated = low / (Vector512<float>.One + VectorMath.Exp(-low)) * high;
        gated.Store(y + row * stride + panel * (PackedMatrix.PanelColumns / 2));
    }
}
