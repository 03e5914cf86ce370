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
            return [.. result.Data.Select((row, i) => new DataRecord(
                i + 1, row.ToDictionary(field => field.Key, field => Texts(field.Value), StringComparer.Ordinal)))];
        }
        catch (Exception e) when (e is ParquetException or InvalidDataException or EndOfStreamException or NotSupportedException)
        {
            throw new UserErrorException($"{path} cannot be read as a Parquet file: {e.Message}");
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
