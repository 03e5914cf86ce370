using Xunit;

namespace Ghpo.Tests.Problems;

/// <summary>Public data sets beside the repository, in ../shared/data. None of it is part of the repository.</summary>
internal static class SharedData
{
    /// <summary>Full path of a file there; the running test is skipped, visibly, where it is missing.</summary>
    public static string File(string relative)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "shared", "data", relative);
            if (System.IO.File.Exists(path))
            {
                return path;
            }
        }

        Assert.Skip($"../shared/data/{relative} is not there.");
        return "";
    }
}
