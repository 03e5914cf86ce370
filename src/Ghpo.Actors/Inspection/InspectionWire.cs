using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ghpo.Inspection;

/// <summary>
/// The JSON in the frames between client and host:
/// <code>
/// client: hello(version, token)                     host: welcome(version, node, palettes), or an error and the end
/// client: request(id, palette, command, arguments)  host: line(id, text, json) … end(id)
/// client: cancel(id)                                host: end(id)
/// </code>
/// Several requests of a client may be answered at the same time.
/// </summary>
public static class InspectionWire
{
    public const int Version = 1;

    /// <summary>Bytes of the largest frame that a client may send.</summary>
    public const int LargestRequest = 64 * 1024;

    /// <summary>Bytes of the largest frame that a host sends.</summary>
    public const int LargestResponse = 4 * 1024 * 1024;

    public static byte[] Write(ClientFrame frame) => FrameReader.Write(JsonSerializer.SerializeToUtf8Bytes(frame, InspectionJson.Default.ClientFrame));

    /// <summary>The frame of a host; a line that is too long for one is cut, and says so.</summary>
    public static byte[] Write(HostFrame frame)
    {
        byte[] content = JsonSerializer.SerializeToUtf8Bytes(frame, InspectionJson.Default.HostFrame);
        return FrameReader.Write(content.Length <= LargestResponse
            ? content
            : JsonSerializer.SerializeToUtf8Bytes(
                new HostFrame(frame.Id, HostFrameKind.Line, $"a line of {content.Length} bytes is left out: ask for less", Error: true),
                InspectionJson.Default.HostFrame));
    }

    /// <exception cref="FrameException">The bytes are not the JSON of a client's frame.</exception>
    public static ClientFrame ReadRequest(byte[] content) => Read(content, InspectionJson.Default.ClientFrame);

    /// <exception cref="FrameException">The bytes are not the JSON of a host's frame.</exception>
    public static HostFrame ReadResponse(byte[] content) => Read(content, InspectionJson.Default.HostFrame);

    private static T Read<T>(byte[] content, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(content, type) ?? throw new FrameException("a frame holds null");
        }
        catch (JsonException failure)
        {
            throw new FrameException($"a frame of {content.Length} bytes is not what the protocol knows: {failure.Message}");
        }
    }
}

public enum ClientFrameKind
{
    Hello,
    Request,
    Cancel,
}

/// <param name="Id">The request; chosen by the client.</param>
/// <param name="Version">Of a hello.</param>
/// <param name="Token">Of a hello.</param>
public sealed record ClientFrame(
    ClientFrameKind Kind,
    int Id = 0,
    int Version = 0,
    string? Token = null,
    string? Palette = null,
    string? Command = null,
    Dictionary<string, string>? Arguments = null,
    string? By = null);

public enum HostFrameKind
{
    Welcome,
    Line,
    End,

    /// <summary>The conversation is over; Text says why.</summary>
    Refused,
}

/// <param name="Json">An object, as text.</param>
/// <param name="Version">Of a welcome.</param>
/// <param name="Node">Of a welcome: whom the client speaks to.</param>
public sealed record HostFrame(
    int Id,
    HostFrameKind Kind,
    string Text = "",
    string? Json = null,
    bool Error = false,
    bool Misused = false,
    int Version = 0,
    string? Node = null,
    ImmutableArray<InspectionPalette>? Palettes = null);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    MaxDepth = 16)]
[JsonSerializable(typeof(ClientFrame))]
[JsonSerializable(typeof(HostFrame))]
internal sealed partial class InspectionJson : JsonSerializerContext;
