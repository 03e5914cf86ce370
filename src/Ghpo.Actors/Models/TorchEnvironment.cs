using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Ghpo.Models;

/// <summary>
/// What libtorch and its libraries read from the environment, once, when they are loaded: so <see cref="Prepare"/> comes first in Main. A value that
/// the user has set is kept.
/// </summary>
public static partial class TorchEnvironment
{
    /// <summary>Sets what is not set.</summary>
    /// <exception cref="InvalidOperationException">The C library refuses.</exception>
    public static void Prepare()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        // Idle threads of a parallel region sleep instead of spin: spinning threads collapse when another process needs the core.
        Set("OMP_WAIT_POLICY", "passive");
        if (ReproducibleBranch() is { } branch)
        {
            Set("MKL_CBWR", branch);
        }
    }

    /// <summary>
    /// The branch of MKL's conditional numerical reproducibility in which a row of a matrix product has the same bits whatever the other rows; null where MKL
    /// has none. On Intel's processors MKL chooses among kernels by the number of rows (other bits below 16 rows, measured on a Xeon with AVX-512), and only
    /// STRICT keeps to one. On others its default is left: it keeps to one from 4 rows on (measured on Zen 4).
    /// </summary>
    private static string? ReproducibleBranch() => !IsIntel() ? null : Avx512F.IsSupported ? "AVX512,STRICT" : Avx2.IsSupported ? "AVX2,STRICT" : null;

    private static bool IsIntel()
    {
        if (!X86Base.IsSupported)
        {
            return false;
        }

        // Leaf 0 spells the vendor in EBX, EDX, ECX: "Genu", "ineI", "ntel".
        (int _, int ebx, int ecx, int edx) = X86Base.CpuId(0, 0);
        return (ebx, edx, ecx) == (0x756E6547, 0x49656E69, 0x6C65746E);
    }

    // .NET keeps its own copy of the environment on Unix, so the C library is asked itself.
    private static void Set(string name, string value)
    {
        if (SetEnvironment(name, value, overwrite: 0) != 0)
        {
            throw new InvalidOperationException($"{name} could not be set: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
