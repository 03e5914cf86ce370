using System.Runtime.CompilerServices;
using Ghpo.Models;

namespace Ghpo.Tests.Models;

internal static class TestProcess
{
    /// <summary>Tests run side by side, so torch threads that spin while they wait would starve each other. It must precede the first torch call.</summary>
    [ModuleInitializer]
    internal static void PrepareTorch() => TorchEnvironment.Prepare();
}
