using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Ghpo.Configuration;

namespace Ghpo.Problems;

/// <summary>Records of a JSON file: one object a line, or one array of objects. Which of the two is seen from the first character.</summary>
internal static class JsonRecords
{
    /// <exception cref="UserErrorException">Not JSON, or not objects; names file and line.</exception>
    public static List<DataRecord> Read(string path)
    {
        ReadOnlySpan<byte> json = File.ReadAllBytes(path);
        if (json.StartsWith(Encoding.UTF8.Preamble))
        {
            json = json[Encoding.UTF8.Preamble.Length..];
        }

        int first = json.IndexOfAnyExcept(" \t\r\n"u8);
        return first >= 0 && json[first] == '[' ? ReadArray(path, json) : ReadLines(path, json);
    }

    private static List<DataRecord> ReadLines(string path, ReadOnlySpan<byte> json)
    {
        var records = new List<DataRecord>();
        for (int line = 1; json.Length > 0; line++)
        {
            int newLine = json.IndexOf((byte)'\n');
            ReadOnlySpan<byte> text = newLine < 0 ? json : json[..newLine];
            json = newLine < 0 ? [] : json[(newLine + 1)..];
            if (text.IndexOfAnyExcept(" \t\r"u8) < 0)
            {
                continue;
            }

            try
            {
                var reader = new Utf8JsonReader(text);
                using var document = JsonDocument.ParseValue(ref reader);
                if (text[(int)reader.BytesConsumed..].IndexOfAnyExcept(" \t\r"u8) >= 0)
                {
                    throw new UserErrorException($"{path}, line {line}: text behind the end of the JSON object. Write one object a line.");
                }

                records.Add(Record(path, line, document.RootElement));
            }
            catch (JsonException e)
            {
                throw Malformed(path, line, e.Message);
            }
        }

        return records;
    }

    private static List<DataRecord> ReadArray(string path, ReadOnlySpan<byte> json)
    {
        var records = new List<DataRecord>();
        var reader = new Utf8JsonReader(json);
        int line = 1;
        int counted = 0;
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                int start = (int)reader.TokenStartIndex;
                line += json[counted..start].Count((byte)'\n');
                counted = start;
                using var document = JsonDocument.ParseValue(ref reader);
                records.Add(Record(path, line, document.RootElement));
            }

            if (reader.Read())
            {
                throw Malformed(path, line, "text behind the end of the array");
            }
        }
        catch (JsonException e)
        {
            throw Malformed(path, (int)(e.LineNumber ?? 0) + 1, e.Message);
        }

        return records;
    }

    private static DataRecord Record(string path, int line, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new UserErrorException($"{path}, line {line}: expected a JSON object, found {element.ValueKind.ToString().ToLowerInvariant()}.");
        }

        var fields = new Dictionary<string, ImmutableArray<string>>(StringComparer.Ordinal);
        try
        {
            foreach (JsonProperty property in element.EnumerateObject())
            {
                fields[property.Name] = Texts(property.Value);
            }
        }
        catch (InvalidOperationException e)
        {
            // A lone surrogate escape or invalid UTF-8 inside a string, which the parser accepts and decoding refuses.
            throw Malformed(path, line, e.Message);
        }

        return new DataRecord(line, fields);
    }

    private static ImmutableArray<string> Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => [],
        JsonValueKind.Array => [.. value.EnumerateArray().SelectMany(item => Texts(item))],
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Number => [WithoutZeroFraction(value.GetRawText())],
        _ => [value.GetRawText()],
    };

    /// <summary>27.0 is how some exporters write the integer 27.</summary>
    private static string WithoutZeroFraction(string number)
    {
        int point = number.IndexOf('.', StringComparison.Ordinal);
        return point >= 0 && number.AsSpan(point + 1).IndexOfAnyExcept('0') < 0 ? number[..point] : number;
    }

    private static UserErrorException Malformed(string path, int line, string reason) =>
        new($"{path}, line {line}: not valid JSON ({reason}). A data file holds one JSON object a line, or one array of objects.");
}
