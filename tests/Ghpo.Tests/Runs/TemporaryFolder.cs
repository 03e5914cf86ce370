namespace Ghpo.Tests.Runs;

/// <summary>A folder of its own for a test, gone afterwards.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ghpo-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
