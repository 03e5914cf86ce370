using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Akka;
using Akka.Event;
using Akka.IO;
using Akka.Streams;
using Akka.Streams.Dsl;
using Akka.Util;
using Ghpo.Inspection;

namespace Ghpo.Node.Inspecting;

/// <summary>
/// One client, from its hello to its end, as a stream:
/// <code>
///                                                                    ┌─▶ answers, at most <see cref="MostAnswers"/> being made ─┐
/// bytes ─▶ frames ─▶ at most <see cref="RequestsPerSecond"/> ─▶ requests ─┤                                             ├─▶ bytes
///                                                                    └─▶ tails, at most <see cref="MostTails"/>, and refusals ──┘
/// </code>
/// A request beyond these bounds is answered by a sentence and waits for nothing, so that a cancellation behind it is always heard.
/// The client's reading moves its answers: what it does not read is not made. Events of a tail that it does not keep up with fill a bounded buffer, and then
/// end that tail; a client that does not take what came before that within <see cref="_patience"/> is dropped. Bytes that are no frames, frames that are no requests, a missing hello and a wrong token end it too, each with a sentence.
/// </summary>
internal sealed class InspectionConversation(Inspector inspector, string token, string node, string peer, ILoggingAdapter log)
{
    public const int RequestsPerSecond = 50;
    public const int MostAnswers = 8;
    public const int MostTails = 8;

    private static readonly TimeSpan _helloPatience = TimeSpan.FromSeconds(10);

    /// <summary>What a wrong token costs whoever guesses.</summary>
    private static readonly TimeSpan _refusalDelay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _lastWord = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    /// <summary>How to end each answer that is not over. All stages are one island, so one at a time touches it.</summary>
    private readonly Dictionary<int, Action> _answers = [];
    private readonly SharedKillSwitch _connection = KillSwitches.Shared(peer);
    private int _onces;
    private int _tails;
    private bool _welcome;
    private bool _over;
    private volatile bool _ended;

    public Flow<ByteString, ByteString, NotUsed> Flow() => Akka.Streams.Dsl.Flow.Create<ByteString>()
        .StatefulSelectMany<ByteString, ByteString, ConversationFrames.Input, NotUsed>(() =>
        {
            var reader = new FrameReader(InspectionWire.LargestRequest);
            return bytes => ConversationFrames.Read(reader, bytes);
        })
        .InitialTimeout(_helloPatience)
        .Throttle(RequestsPerSecond, TimeSpan.FromSeconds(1), RequestsPerSecond, ThrottleMode.Shaping)
        .Select(Take)
        .Where(reply => reply != Reply.Nothing)
        .Via(Replies())
        .Via(_connection.Flow<ByteString>())
        .WatchTermination((none, ended) =>
        {
            ended.ContinueWith(_ => _ended = true, TaskScheduler.Default);
            return none;
        });

    /// <summary>A conversation that is over before it began.</summary>
    public static Flow<ByteString, ByteString, NotUsed> Refusal(string reason) => Akka.Streams.Dsl.Flow.FromSinkAndSource(
        Sink.Cancelled<ByteString>(), Source.Single(ConversationFrames.Write(new HostFrame(0, HostFrameKind.Refused, reason))), Keep.None);

    private static IGraph<FlowShape<Reply, ByteString>, NotUsed> Replies() => GraphDsl.Create(graph =>
    {
        UniformFanOutShape<Reply, Reply> replies = graph.Add(new Partition<Reply>(2, reply => reply.Once is not null ? 0 : 1));
        UniformFanInShape<ByteString, ByteString> bytes = graph.Add(new Merge<ByteString, ByteString>(2));
        // One more, for what is said at once: a welcome, or that there are too many.
        graph.From(replies.Out(0)).Via(Akka.Streams.Dsl.Flow.Create<Reply>().SelectAsyncUnordered(MostAnswers + 1, reply => reply.Once!()).SelectMany(ConversationFrames.Write)).To(bytes.In(0));
        // One more, for a refusal.
        graph.From(replies.Out(1)).Via(Akka.Streams.Dsl.Flow.Create<Reply>().MergeMany(MostTails + 1, reply => reply.Follow!).Select(ConversationFrames.Write)).To(bytes.In(1));
        return new FlowShape<Reply, ByteString>(replies.In, bytes.Out);
    });

    private Reply Take(ConversationFrames.Input input)
    {
        if (_over)
        {
            return Reply.Nothing;
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
                if (_answers.TryGetValue(frame.Id, out Action? end))
                {
                    end();
                }

                return Reply.Nothing;
            default:
                return Refuse("one hello is enough", TimeSpan.Zero);
        }
    }

    private Reply Greet(ClientFrame frame)
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
        return Reply.Of(new HostFrame(0, HostFrameKind.Welcome, Version: InspectionWire.Version, Node: node, Palettes: inspector.Palettes));
    }

    private Reply Answer(ClientFrame frame)
    {
        var request = new InspectionRequest(
            frame.Palette ?? "",
            frame.Command ?? "",
            (frame.Arguments ?? []).ToImmutableSortedDictionary(StringComparer.Ordinal),
            string.IsNullOrWhiteSpace(frame.By) ? peer : frame.By);
        return (inspector.IsTail(request), _onces, _tails) switch
        {
            (false, < MostAnswers, _) => Once(frame.Id, request),
            (true, _, < MostTails) => new Reply(null, Follow(frame.Id, request)),
            (false, _, _) => TooMany(frame.Id, $"{request}: {MostAnswers} answers are being made on this connection already; wait for one, or cancel it"),
            (true, _, _) => TooMany(frame.Id, $"{request}: {MostTails} tails are followed on this connection already; end one first"),
        };
    }

    private static Reply TooMany(int id, string reason) => Reply.Of(new HostFrame(id, HostFrameKind.Line, reason, Error: true), new HostFrame(id, HostFrameKind.End));

    private Reply Once(int id, InspectionRequest request)
    {
        _onces++;
        var cancelled = new TaskCompletionSource<IEnumerable<ResponseLine>>(TaskCreationOptions.RunContinuationsAsynchronously);
        _answers[id] = () => cancelled.TrySetResult([]);
        return new Reply(() => OnceAsync(id, request, cancelled), null);
    }

    private async Task<IEnumerable<HostFrame>> OnceAsync(int id, InspectionRequest request, TaskCompletionSource<IEnumerable<ResponseLine>> cancelled)
    {
        IEnumerable<ResponseLine> lines = await await Task.WhenAny(inspector.AnswerOnceAsync(request), cancelled.Task);
        return Frames(id, lines.TakeWhile(_ => !cancelled.Task.IsCompleted));
    }

    private IEnumerable<HostFrame> Frames(int id, IEnumerable<ResponseLine> lines)
    {
        foreach (ResponseLine line in lines)
        {
            yield return LineOf(id, line);
        }

        _answers.Remove(id);
        _onces--;
        yield return new HostFrame(id, HostFrameKind.End);
    }

    private Source<HostFrame, NotUsed> Follow(int id, InspectionRequest request)
    {
        _tails++;
        CancellationTokenSource? overdue = null;
        Source<HostFrame, NotUsed> lines = inspector.Follow(request)
            .ViaMaterialized(KillSwitches.Single<ResponseLine>(), Keep.Right)
            .MapMaterializedValue(killSwitch =>
            {
                _answers[id] = killSwitch.Shutdown;
                return NotUsed.Instance;
            })
            .Recover(failure =>
            {
                overdue = DropLater(request);
                return Option<ResponseLine>.Create(new ResponseLine($"{request}: more came than this client took; ask again", Error: true));
            })
            .Select(line => LineOf(id, line));
        return Source.From<bool>([false, true]).ConcatMany(end =>
        {
            if (end)
            {
                overdue?.Dispose();
                _answers.Remove(id);
                _tails--;
                return Source.Single(new HostFrame(id, HostFrameKind.End));
            }

            return lines;
        });
    }

    /// <summary>Unless it is disposed before.</summary>
    private CancellationTokenSource DropLater(InspectionRequest request)
    {
        var overdue = new CancellationTokenSource(_patience);
        overdue.Token.Register(() =>
        {
            if (_ended)
            {
                return;
            }

            log.Warning("Client {Peer} does not read its {Request} and is dropped", peer, request);
            _connection.Abort(new FrameException($"{request} is not read"));
        });
        return overdue;
    }

    private Reply Refuse(string reason, TimeSpan delay)
    {
        _over = true;
        log.Info("The conversation with client {Peer} is over: {Reason}", peer, reason);
        Source<HostFrame, NotUsed> last = Source.Single(new HostFrame(0, HostFrameKind.Refused, reason));
        // The end begins once the sentence has been taken, and a moment later: a failure overtakes what is still being written.
        return new Reply(null, Source.From<bool>([false, true]).ConcatMany(end => end
            ? Source.Single(reason).InitialDelay(_lastWord).Select(Fail)
            : delay > TimeSpan.Zero ? last.InitialDelay(delay) : last));
    }

    private static HostFrame LineOf(int id, ResponseLine line) => new(id, HostFrameKind.Line, line.Text, line.Json, line.Error, line.Misused);

    private static HostFrame Fail(string reason) => throw new FrameException(reason);

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    /// <summary>What a frame of the client leads to: one of the two.</summary>
    private sealed record Reply(Func<Task<IEnumerable<HostFrame>>>? Once, Source<HostFrame, NotUsed>? Follow)
    {
        public static Reply Nothing { get; } = Of();

        public static Reply Of(params IEnumerable<HostFrame> frames) => new(() => Task.FromResult(frames), null);
    }
}
