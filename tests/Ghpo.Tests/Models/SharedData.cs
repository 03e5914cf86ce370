using Xunit;

namespace Ghpo.Tests.Models;

/// <summary>Data sets and models beside the repository, which are not part of it.</summary>
internal static class SharedData
{
    /// <summary>Path of a file or folder under shared/data; skips the test where it is missing.</summary>
    internal static string Require(string path)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string found = Path.Combine(folder.FullName, "shared", "data", path);
            if (Path.Exists(found))
            {
                return found;
            }
        }

        Assert.Skip($"shared/data/{path} is not in any folder above {AppContext.BaseDirectory}.");
        return path;
    }
}
