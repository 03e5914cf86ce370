using Akka.IO;
using Ghpo.Inspection;

namespace Ghpo.Node.Inspecting;

/// <summary>Bytes of a client into its frames, and frames of the host into bytes.</summary>
internal static class ConversationFrames
{
    /// <summary>Bytes that go out together at least, where there are so many.</summary>
    private const int Together = 16 * 1024;

    /// <summary>What these bytes complete; the last one may be a fault, after which nothing can be read.</summary>
    public static IEnumerable<Input> Read(FrameReader reader, ByteString bytes)
    {
        IReadOnlyList<byte[]> frames;
        string? fault = null;
        try
        {
            frames = reader.Feed(bytes.ToArray());
        }
        catch (FrameException failure)
        {
            (frames, fault) = ([], failure.Message);
        }

        foreach (byte[] content in frames)
        {
            ClientFrame? frame = null;
            try
            {
                frame = InspectionWire.ReadRequest(content);
            }
            catch (FrameException failure)
            {
                fault ??= failure.Message;
            }

            if (frame is not null)
            {
                yield return new Input(frame, null);
            }
        }

        if (fault is not null)
        {
            yield return new Input(null, fault);
        }
    }

    public static ByteString Write(HostFrame frame) => ByteString.FromBytes(InspectionWire.Write(frame));

    /// <summary>Frames that are there go out together, made as they are taken.</summary>
    public static IEnumerable<ByteString> Write(IEnumerable<HostFrame> frames)
    {
        using var bytes = new MemoryStream();
        foreach (HostFrame frame in frames)
        {
            bytes.Write(InspectionWire.Write(frame));
            if (bytes.Length >= Together)
            {
                yield return ByteString.FromBytes(bytes.ToArray());
                bytes.SetLength(0);
            }
        }

        if (bytes.Length > 0)
        {
            yield return ByteString.FromBytes(bytes.ToArray());
        }
    }

    /// <summary>A frame, or why there is none.</summary>
    internal sealed record Input(ClientFrame? Frame, string? Fault);
}
