namespace Ghpo.Tests.Models;

/// <summary>Files that a script in tests/oracles wrote.</summary>
internal static class Fixture
{
    internal static string Path(string name) => System.IO.Path.Combine(AppContext.BaseDirectory, "Models", "Fixtures", name);
}
