using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Ghpo.Learning;

/// <summary>
/// Makes a folder appear whole or not at all: it is filled under <c>&lt;folder&gt;.&lt;a name of its own&gt;.partial</c>, so that two processes never fill one, every file and directory is flushed to the disk, and
/// then it is renamed. After a crash at any instant either the old folder or the new one is found under its name; a folder that is being
/// replaced may be found under <c>&lt;folder&gt;.replaced</c>.
/// </summary>
internal static partial class DurableFolder
{
    private const int ReadOnly = 0;

    /// <param name="fill">Writes the files into the folder given to it.</param>
    public static void Write(string folder, Action<string> fill)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string parent = Path.GetDirectoryName(folder) ?? throw new ArgumentException($"{folder} is the root of a file system, not a folder to write.");
        string partial = $"{folder}.{Guid.NewGuid():N}.partial";
        string replaced = folder + ".replaced";
        foreach (string left in Directory.Exists(parent) ? Directory.GetDirectories(parent, Path.GetFileName(folder) + "*.partial") : [])
        {
            DeleteIfThere(left);
        }

        try
        {
            Directory.CreateDirectory(partial);
            fill(partial);
            FlushTree(partial);
        }
        catch
        {
            // On a full disk, what was written so far would leave no space even for the journal.
            DeleteIfThere(partial);
            throw;
        }

        DeleteIfThere(replaced);
        if (Directory.Exists(folder))
        {
            Directory.Move(folder, replaced);
        }

        Directory.Move(partial, folder);
        Flush(parent);
        DeleteIfThere(replaced);
    }

    private static void DeleteIfThere(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void FlushTree(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            Flush(file);
        }

        foreach (string directory in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories))
        {
            Flush(directory);
        }

        Flush(folder);
    }

    // The C library is asked because .NET opens no directories, and flushes no file that it may not write: a tokenizer copied from a
    // write-protected model folder is one.
    private static void Flush(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            FlushOnWindows(path);
            return;
        }

        int descriptor = Open(path, ReadOnly);
        if (descriptor < 0)
        {
            throw new IOException($"Cannot open {path} to flush it.", new Win32Exception(Marshal.GetLastPInvokeError()));
        }

        try
        {
            if (FileSync(descriptor) != 0)
            {
                throw new IOException($"Cannot flush {path} to the disk.", new Win32Exception(Marshal.GetLastPInvokeError()));
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    // Directories need no flush there: NTFS logs a rename itself.
    private static void FlushOnWindows(string path)
    {
        if (File.Exists(path))
        {
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(handle);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FileSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
