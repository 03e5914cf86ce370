using Ghpo.Configuration;
using Ghpo.Journal;
using Ghpo.Models;
using static Ghpo.Inspection.StepFigures;

namespace Ghpo.Node.Journaling;

/// <summary><c>ghpo journal export</c>: rollouts as a Parquet file, which is there whole or not at all.</summary>
internal static class JournalExport
{
    public static async Task WriteAsync(RunJournal run, string path, int? from, int? to, TextWriter output)
    {
        if (Path.Exists(path))
        {
            throw new UserErrorException($"--parquet {path}: exists; name a file that does not.");
        }

        ModelTokenizer tokenizer = ModelTokenizer.Load(Path.Combine(ModelFolder.Resolve(run.Settings.Model.Path), "tokenizer.json"));
        string partial = path + ".partial";
        (int answers, int pruned) = (0, 0);
        try
        {
            using (FileStream file = new(partial, FileMode.Create, FileAccess.ReadWrite))
            {
                (answers, pruned) = await RolloutExport.WriteAsync(run.Journal, tokenizer, run.Settings.Rewards, from, to, file);
            }

            File.Move(partial, path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(partial))
            {
                File.Delete(partial);
            }

            throw new UserErrorException($"--parquet {path}: cannot be written: {problem.Message}");
        }

        string left = pruned > 0 ? $"; {Count(pruned)} groups are left out, their tokens are pruned" : "";
        output.WriteLine($"{path}: {Count(answers)} answers, {Count(new FileInfo(path).Length)} bytes{left}");
    }
}
