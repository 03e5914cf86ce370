using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ghpo.Curriculum;
using Ghpo.Inspection;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Problems;

namespace Ghpo.Node.Journaling;

/// <summary>What <c>--json</c> prints: snake_case names, a group as "step/index", a version as its number, enums by their names.</summary>
internal static class JournalJson
{
    private static readonly JsonSerializerOptions Line = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(), new PolicyVersionConverter(), new GroupConverter(), new ProblemConverter() },
    };

    private static readonly JsonSerializerOptions Document = new(Line) { WriteIndented = true };

    /// <summary>One object on one line.</summary>
    public static string OneLine(JournalEntry entry, EventLine line) => JsonSerializer.Serialize(
        new EntryJson(
            entry.Ordering,
            entry.Written,
            entry.Stream,
            entry.SequenceNumber,
            entry.Manifest,
            entry.Bytes,
            line.Kind,
            (object?)GroupFacts.Of(entry.Event) ?? entry.Event),
        Line);

    public static string Write(object document) => JsonSerializer.Serialize(document, Document);

    /// <param name="Event">The event; of a settled group, its facts without its tokens, which <c>ghpo journal export</c> writes.</param>
    private sealed record EntryJson(
        long Ordering, DateTimeOffset Written, string Stream, long SequenceNumber, string Manifest, int Bytes, string Kind, object Event);

    private sealed class GroupConverter : JsonConverter<GroupId>
    {
        public override GroupId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, GroupId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }

    private sealed class ProblemConverter : JsonConverter<ProblemId>
    {
        public override ProblemId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, ProblemId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
    }
}
