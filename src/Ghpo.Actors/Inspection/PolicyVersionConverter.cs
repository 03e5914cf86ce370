using System.Text.Json;
using System.Text.Json.Serialization;
using Ghpo.Rollout;

namespace Ghpo.Inspection;

/// <summary>A version is its number.</summary>
internal sealed class PolicyVersionConverter : JsonConverter<PolicyVersion>
{
    public override PolicyVersion Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt32());

    public override void Write(Utf8JsonWriter writer, PolicyVersion value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}
