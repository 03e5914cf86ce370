using System.Diagnostics;
using Xunit;

namespace Ghpo.Tests.Runs;

/// <summary>A file system in memory of a few megabytes, to be filled up. Skips the test, visibly, where none can be mounted.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SmallDisk(int megabytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", Path), "A small tmpfs cannot be mounted here (that takes root).");
    }

    public string Path => _folder.Path;

    private string Ballast => System.IO.Path.Combine(Path, "ballast");

    /// <summary>Takes all the space but so many bytes.</summary>
    public void FillUp(long leave = 0)
    {
        long free = new DriveInfo(Path).AvailableFreeSpace - leave;
        using var ballast = new FileStream(Ballast, FileMode.Append, FileAccess.Write);
        byte[] block = new byte[4096];
        try
        {
            for (; free > 0; free -= block.Length)
            {
                ballast.Write(block);
                ballast.Flush();
            }
        }
        catch (IOException)
        {
            // Another writer was faster; the disk is full all the same.
        }
    }

    public void MakeSpace() => File.Delete(Ballast);

    public void Dispose()
    {
        // Pooled connections keep files open.
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Run("umount", "--lazy", Path);
        _folder.Dispose();
    }

    private static bool Run(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
