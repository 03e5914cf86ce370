using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using Ghpo.Configuration;
using Parquet;
using Parquet.Serialization;

namespace Ghpo.Problems;

/// <summary>Records of a Parquet file: columns of text and numbers, and lists of them.</summary>
internal static class ParquetRecords
{
    /// <exception cref="UserErrorException">Not a Parquet file, or damaged; names it.</exception>
    public static List<DataRecord> Read(string path)
    {
        using FileStream file = File.OpenRead(path);
        try
        {
            // Data is loaded once, before anything runs that waiting could hold up.
            var result = ParquetSerializer.DeserializeUntypedAsync(file).GetAwaiter().GetResult();

            // A row leaves out the columns in which it is null.
            string[] columns = [.. result.Schema.Fields.Select(field => field.Name)];
            return [.. result.Data.Select((row, i) => new DataRecord(
                i + 1, columns.ToDictionary(name => name, name => Texts(row.TryGetValue(name, out object? value) ? value : null), StringComparer.Ordinal)))];
        }
        catch (Exception e) when (e is ParquetException or InvalidDataException or IOException or NotSupportedException)
        {
            // Lists in data pages of version 2 are beyond the Parquet library; the inner exception says so.
            string reason = e.InnerException is null ? e.Message : $"{e.Message} ({e.InnerException.Message})";
            throw new UserErrorException($"{path} cannot be read as a Parquet file: {reason}. Convert it to .jsonl, or write it with data pages of version 1.");
        }
    }

    private static ImmutableArray<string> Texts(object? value) => value switch
    {
        null => [],
        string text => [text],
        double number => [number.ToString("R", CultureInfo.InvariantCulture)],
        IFormattable number => [number.ToString(null, CultureInfo.InvariantCulture)],
        IEnumerable list => [.. list.Cast<object?>().SelectMany(item => Texts(item))],
        _ => [value.ToString() ?? ""],
    };
}
