namespace Ghpo.Tests.Configuration;

/// <summary>Finds the repository that the tests were built from.</summary>
internal static class RepositoryFiles
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Ghpo.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No Ghpo.sln above {AppContext.BaseDirectory}.");
    }
}
