using Ghpo.Configuration;

namespace Ghpo.Problems;

/// <summary>What a data file holds.</summary>
public sealed record ProblemFileResult(IReadOnlyList<Problem> Problems, IReadOnlyList<SkippedRow> Skipped);

/// <summary>
/// Reads problems from a .jsonl, .json or .parquet file. A record without a problem text or an answer is skipped and reported; whatever else is
/// wrong with the file is an error, because training on half of a data set unawares costs more than stopping.
/// </summary>
public static class ProblemFile
{
    /// <exception cref="UserErrorException">Missing, unreadable, malformed or empty file; names it, and the line.</exception>
    public static ProblemFileResult Read(string path, DataSettings settings)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(settings);
        string full = Path.GetFullPath(path);
        string extension = Path.GetExtension(full).ToLowerInvariant();
        if (extension is not (".jsonl" or ".json" or ".parquet"))
        {
            throw new UserErrorException(
                $"{full}: a data file ends in .jsonl, .json or .parquet (the built-in data set is called {ArithmeticProblems.Name}).");
        }

        List<DataRecord> records = Records(full, extension);
        if (records.Count == 0)
        {
            throw new UserErrorException($"{full} holds no records.");
        }

        string unit = extension == ".parquet" ? "row" : "line";
        string Place(DataRecord record) => FormattableString.Invariant($"{full}, {unit} {record.Line}");

        DataPreset preset = settings.Preset == DataPreset.Auto ? DataPresets.Detect(full, records[0], settings.Fields) : settings.Preset;
        string stem = Path.GetFileNameWithoutExtension(full);
        var problems = new List<Problem>(records.Count);
        var skipped = new List<SkippedRow>();
        var lineOfId = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (DataRecord record in records)
        {
            DataPresets.Parts parts = DataPresets.Map(preset, settings.Fields, Place, record);
            if (string.IsNullOrWhiteSpace(parts.Text) || string.IsNullOrWhiteSpace(parts.Answer))
            {
                skipped.Add(new SkippedRow(full, record.Line, SkipCause.Incomplete, string.IsNullOrWhiteSpace(parts.Text) ? "no problem text" : "no answer"));
                continue;
            }

            string id = parts.Id.Length > 0 ? parts.Id : FormattableString.Invariant($"{stem}/{record.Line}");
            if (!lineOfId.TryAdd(id, record.Line))
            {
                throw new UserErrorException(
                    $"{Place(record)}: id '{id}' is that of {unit} {lineOfId[id]} already. Ids must differ; to have them numbered, use " +
                    "ghpo.data.preset = custom with ghpo.data.fields.id = \"\".");
            }

            string? solution = string.IsNullOrWhiteSpace(parts.Solution) ? null : parts.Solution;
            problems.Add(new Problem(new ProblemId(id), parts.Text.Trim(), parts.Answer.Trim(), solution, parts.Level));
        }

        return problems.Count > 0
            ? new ProblemFileResult(problems, skipped)
            : throw new UserErrorException(
                $"{full}: none of the {records.Count} records has a problem and an answer (preset {preset.ToString().ToLowerInvariant()}).");
    }

    private static List<DataRecord> Records(string path, string extension)
    {
        try
        {
            return extension == ".parquet" ? ParquetRecords.Read(path) : JsonRecords.Read(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserErrorException($"Data file {path} does not exist.");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new UserErrorException($"Data file {path} cannot be read: {e.Message}");
        }
    }
}
