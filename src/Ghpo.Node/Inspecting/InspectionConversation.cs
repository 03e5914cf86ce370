using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Akka;
using Akka.Event;
using Akka.IO;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Inspection;

namespace Ghpo.Node.Inspecting;

/// <summary>
/// One client, from its hello to its end, as a stream:
/// <code>
/// bytes ─▶ frames ─▶ at most <see cref="RequestsPerSecond"/> ─▶ requests ─▶ answers, at most <see cref="MostAnswers"/> at a time ─▶ bytes
/// </code>
/// The client's reading moves its answers: what it does not read is not made. Events of a tail that it does not keep up with fill a bounded buffer, and then
/// end its connection. Bytes that are no frames, frames that are no requests, a missing hello and a wrong token end it too, each with a sentence.
/// </summary>
internal sealed class InspectionConversation(Inspector inspector, string token, string node, string peer, ILoggingAdapter log)
{
    public const int RequestsPerSecond = 50;
    public const int MostAnswers = 8;
    private static readonly TimeSpan _helloPatience = TimeSpan.FromSeconds(10);

    /// <summary>What a wrong token costs whoever guesses.</summary>
    private static readonly TimeSpan _refusalDelay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _lastWord = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<int, UniqueKillSwitch> _answers = new();
    private bool _welcome;
    private bool _over;

    public Flow<ByteString, ByteString, NotUsed> Flow() => Akka.Streams.Dsl.Flow.Create<ByteString>()
        .InitialTimeout(_helloPatience)
        .StatefulSelectMany<ByteString, ByteString, Input, NotUsed>(() =>
        {
            var reader = new FrameReader(InspectionWire.LargestRequest);
            return bytes => Read(reader, bytes);
        })
        .Throttle(RequestsPerSecond, TimeSpan.FromSeconds(1), RequestsPerSecond, ThrottleMode.Shaping)
        .MergeMany(MostAnswers, Take)
        .Select(frame => ByteString.FromBytes(InspectionWire.Write(frame)));

    /// <summary>A conversation that is over before it began.</summary>
    public static Flow<ByteString, ByteString, NotUsed> Refusal(string reason) => Akka.Streams.Dsl.Flow.FromSinkAndSource(
        Sink.Cancelled<ByteString>(), Source.Single(ByteString.FromBytes(InspectionWire.Write(new HostFrame(0, HostFrameKind.Refused, reason)))), Keep.None);

    private static IEnumerable<Input> Read(FrameReader reader, ByteString bytes)
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

    private Source<HostFrame, NotUsed> Take(Input input)
    {
        if (_over)
        {
            return Source.Empty<HostFrame>();
        }

        if (input.Frame is not { } frame)
        {
            return Refuse(input.Fault!, TimeSpan.Zero);
        }

        if (!_welcome)
        {
            return Greet(frame);
        }

        switch (frame.Kind)
        {
            case ClientFrameKind.Request when _answers.ContainsKey(frame.Id):
                return Refuse($"request {frame.Id} is being answered already", TimeSpan.Zero);
            case ClientFrameKind.Request:
                return Answer(frame);
            case ClientFrameKind.Cancel:
                if (_answers.TryGetValue(frame.Id, out UniqueKillSwitch? answer))
                {
                    answer.Shutdown();
                }

                return Source.Empty<HostFrame>();
            default:
                return Refuse("one hello is enough", TimeSpan.Zero);
        }
    }

    private Source<HostFrame, NotUsed> Greet(ClientFrame frame)
    {
        if (frame.Kind != ClientFrameKind.Hello || frame.Version != InspectionWire.Version)
        {
            return Refuse($"the conversation begins with a hello of version {InspectionWire.Version}", TimeSpan.Zero);
        }

        // Hashed, so that neither the time nor the length of a guess says anything.
        if (!CryptographicOperations.FixedTimeEquals(Digest(frame.Token ?? ""), Digest(token)))
        {
            log.Warning("Client {Peer} showed a wrong token", peer);
            return Refuse("the token is wrong: the host wants the one of ghpo.inspection.token", _refusalDelay);
        }

        _welcome = true;
        return Source.Single(new HostFrame(0, HostFrameKind.Welcome, Version: InspectionWire.Version, Node: node, Palettes: inspector.Palettes));
    }

    private Source<HostFrame, NotUsed> Answer(ClientFrame frame)
    {
        var request = new InspectionRequest(
            frame.Palette ?? "",
            frame.Command ?? "",
            (frame.Arguments ?? []).ToImmutableSortedDictionary(StringComparer.Ordinal),
            string.IsNullOrWhiteSpace(frame.By) ? peer : frame.By);
        int id = frame.Id;
        Source<HostFrame, NotUsed> lines = inspector.Answer(request)
            .ViaMaterialized(KillSwitches.Single<ResponseLine>(), Keep.Right)
            .MapMaterializedValue(killSwitch =>
            {
                _answers[id] = killSwitch;
                return NotUsed.Instance;
            })
            .Select(line => new HostFrame(id, HostFrameKind.Line, line.Text, line.Json, line.Error, line.Misused));
        return Source.From<bool>([false, true]).ConcatMany(end =>
        {
            if (end)
            {
                _answers.TryRemove(id, out _);
                return Source.Single(new HostFrame(id, HostFrameKind.End));
            }

            return lines;
        });
    }

    private Source<HostFrame, NotUsed> Refuse(string reason, TimeSpan delay)
    {
        _over = true;
        log.Info("The conversation with client {Peer} is over: {Reason}", peer, reason);
        Source<HostFrame, NotUsed> last = Source.Single(new HostFrame(0, HostFrameKind.Refused, reason));
        // The end begins once the sentence has been taken, and a moment later: a failure overtakes what is still being written.
        return Source.From<bool>([false, true]).ConcatMany(end => end
            ? Source.Single(reason).InitialDelay(_lastWord).Select(Fail)
            : delay > TimeSpan.Zero ? last.InitialDelay(delay) : last);
    }

    private static HostFrame Fail(string reason) => throw new FrameException(reason);

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private sealed record Input(ClientFrame? Frame, string? Fault);
}
