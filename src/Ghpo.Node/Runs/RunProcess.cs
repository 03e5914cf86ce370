using System.Diagnostics;
using System.Text.Json;

namespace Ghpo.Node.Runs;

/// <summary>The process that has a run, as the run's folder tells of it.</summary>
internal static class RunProcess
{
    /// <summary>Start times are counted in hundredths of a second since the machine began, and that to the second.</summary>
    private static readonly TimeSpan _clockSteps = TimeSpan.FromSeconds(2);

    /// <summary>Whether it lives, on this machine.</summary>
    public static bool IsAlive(RunFolder folder)
    {
        if (!File.Exists(folder.Inspection))
        {
            return false;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(folder.Inspection));
            using var process = Process.GetProcessById(document.RootElement.GetProperty("pid").GetInt32());

            // A process that began after the file was written has the number of another one, which is gone.
            return !process.HasExited && process.StartTime.ToUniversalTime() <= File.GetLastWriteTimeUtc(folder.Inspection) + _clockSteps;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or IOException or JsonException or KeyNotFoundException)
        {
            // No such process, or a file that is just being written or taken away.
            return false;
        }
    }
}
