using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Akka;
using Akka.Actor;
using Akka.Streams.Dsl;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Inspecting;
using Ghpo.Security;
using Xunit;

namespace Ghpo.Tests.Inspecting;

/// <summary>The host on a real socket, with clients that mean well and others.</summary>
public sealed class InspectionHostTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);
    private readonly ActorSystem _system = ActorSystem.Create("inspection-host-tests", "akka.loglevel = WARNING\nakka.stdout-loglevel = OFF\nakka.loggers = []");
    private readonly TaskCompletionSource _tailEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _told;
    private IPEndPoint _open = null!;
    private IPEndPoint _closed = null!;

    public async ValueTask InitializeAsync()
    {
        var palette = new VerbPalette("test", "for tests",
        [
            Verbs.Once("echo", "says it", request => Task.FromResult<IEnumerable<ResponseLine>>([Verbs.Line(request.Arguments["word"], new { By = request.By })]), Verbs.Place("word", "what")),
            Verbs.Once("fail", "fails", _ => throw new InvalidOperationException("it broke")),
            Verbs.Tail("flood", "more than anybody reads", _ => Source.Repeat(new string('x', 10_000)).Select(text =>
            {
                Interlocked.Increment(ref _told);
                return Verbs.Line(text);
            })),
            Verbs.Tail("push", "events that do not wait", request =>
            {
                var over = new TaskCompletionSource();
                return Source.ActorRef<string>(16, Akka.Streams.OverflowStrategy.Fail)
                    .MapMaterializedValue(listener =>
                    {
                        _ = Task.Run(async () =>
                        {
                            for (int i = 0; i < 200_000 && !over.Task.IsCompleted; i++)
                            {
                                listener.Tell(new string('y', 1000));
                                if (i % 8 == 0)
                                {
                                    await Task.Delay(1);
                                }
                            }
                        });
                        return NotUsed.Instance;
                    })
                    .Select(text => Verbs.Line(text))
                    .WatchTermination((_, ended) =>
                    {
                        ended.ContinueWith(_ => over.TrySetResult() & _tailEnded.TrySetResult(), TaskScheduler.Default);
                        return NotUsed.Instance;
                    });
            }),
        ]);
        var inspector = new Inspector(palette);
        _open = (await InspectionHost.OpenAsync(_system, inspector, new InspectionSettings(true, "127.0.0.1", 0, ""), "node", ""))!;
        _closed = (await InspectionHost.OpenAsync(_system, inspector, new InspectionSettings(true, "127.0.0.1", 0, "secret"), "node", ""))!;
    }

    public async ValueTask DisposeAsync() => await _system.Terminate();

    [Fact]
    public async Task A_thousand_malformed_frames_end_their_own_connections_and_nothing_else()
    {
        using PbmClient other = await PbmClient.ConnectAsync("127.0.0.1", _open.Port, "");
        var random = new Random(3);
        for (int i = 0; i < 1000; i++)
        {
            byte[] garbage = new byte[random.Next(1, 200)];
            random.NextBytes(garbage);
            if (i % 3 == 0)
            {
                garbage = FrameReader.Write(garbage);
            }
            else if (i % 3 == 1)
            {
                BinaryPrimitives.WriteUInt32BigEndian(garbage = new byte[8], 2_000_000_000);
            }

            using var tcp = new TcpClient();
            await tcp.ConnectAsync(_open, TestContext.Current.CancellationToken);
            await tcp.GetStream().WriteAsync(garbage, TestContext.Current.CancellationToken);
            if (i % 100 == 0)
            {
                // Some stay to hear the reason; the others slam the door.
                Assert.True(i % 3 == 2 || (await Heard(tcp)).Kind == HostFrameKind.Refused);
            }
        }

        Assert.Equal("still here", (await Ask(other, "echo", "still here")).Single().Text);
        using PbmClient late = await Connected("");
        Assert.Equal("me too", (await Ask(late, "echo", "me too")).Single().Text);
    }

    [Fact]
    public async Task A_frame_of_two_gigabytes_is_refused_with_its_size()
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(_open, TestContext.Current.CancellationToken);
        byte[] header = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(header, 2_000_000_000);
        await tcp.GetStream().WriteAsync(header, TestContext.Current.CancellationToken);
        HostFrame answer = await Heard(tcp);
        Assert.Equal((HostFrameKind.Refused, "a frame of 2000000000 bytes is announced; 1 to 65536 are possible"), (answer.Kind, answer.Text));
        Assert.Equal(0, await tcp.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask().ContinueWith(read => read.IsFaulted ? 0 : read.Result, TaskScheduler.Default));
    }

    [Fact]
    public async Task A_wrong_token_is_refused_after_a_while_and_logged_without_what_was_shown_and_no_request_comes_before_it()
    {
        var logged = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef listener = _system.ActorOf(Props.Create(() => new LogListener(logged)));
        _system.EventStream.Subscribe(listener, typeof(Akka.Event.Warning));
        long begun = Stopwatch.GetTimestamp();
        UserErrorException problem = await Assert.ThrowsAsync<UserErrorException>(() => PbmClient.ConnectAsync("127.0.0.1", _closed.Port, "secre"));
        Assert.Contains("the token is wrong", problem.Message, StringComparison.Ordinal);
        Assert.True(Stopwatch.GetElapsedTime(begun) > TimeSpan.FromMilliseconds(900));
        Assert.Matches(@"^Client .*127\.0\.0\.1:\d+ showed a wrong token$", await logged.Task.WaitAsync(_patience, TestContext.Current.CancellationToken));

        using var tcp = new TcpClient();
        await tcp.ConnectAsync(_closed, TestContext.Current.CancellationToken);
        await tcp.GetStream().WriteAsync(InspectionWire.Write(new ClientFrame(ClientFrameKind.Request, 1, Palette: "test", Command: "echo")), TestContext.Current.CancellationToken);
        Assert.Contains("begins with a hello", (await Heard(tcp)).Text, StringComparison.Ordinal);

        using PbmClient right = await PbmClient.ConnectAsync("127.0.0.1", _closed.Port, "secret");
        Assert.Equal("in", (await Ask(right, "echo", "in")).Single().Text);
    }

    [Fact]
    public async Task Two_clients_are_answered_at_once_and_a_verb_that_fails_is_one_line()
    {
        using PbmClient first = await Connected("");
        using PbmClient second = await Connected("");
        Task<ImmutableArray<ResponseLine>>[] answers = [.. Enumerable.Range(0, 20).Select(i => Ask(i % 2 == 0 ? first : second, "echo", $"{i}")).Take(2)];
        Assert.Equal(["0", "1"], (await Task.WhenAll(answers)).Select(lines => lines.Single().Text));

        ResponseLine failed = (await Ask(first, "fail", null)).Single();
        Assert.Equal(("it broke", true, false), (failed.Text, failed.Error, failed.Misused));
        ResponseLine misused = (await Ask(first, "ecko", null)).Single();
        Assert.Equal((true, true), (misused.Error, misused.Misused));
        Assert.Contains("did you mean echo?", misused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_null_for_a_value_and_a_name_that_would_move_the_reader_s_cursor_are_refused_before_any_actor_sees_them()
    {
        using RawClient client = await RawClient.Greeted(_open);
        await client.Send(new ClientFrame(ClientFrameKind.Request, 1, Palette: "test", Command: "echo", Arguments: new() { ["word"] = null! }));
        Assert.Equal("error: test echo: word is null, which no value is", (await client.Next()).Text);
        Assert.Equal(HostFrameKind.End, (await client.Next()).Kind);
        foreach (string by in new[] { "me\e]0;x\a", new string('m', RequestReader.LongestName + 1) })
        {
            await client.Send(new ClientFrame(ClientFrameKind.Request, 2, Palette: "test", Command: "echo", Arguments: new() { ["word"] = "hello" }, By: by));
            Assert.StartsWith("error: test echo: whoever asks is named in at most 200 characters", (await client.Next()).Text, StringComparison.Ordinal);
            Assert.Equal(HostFrameKind.End, (await client.Next()).Kind);
        }

        await client.Send(new ClientFrame(ClientFrameKind.Request, 3, Palette: "test", Command: "echo", Arguments: new() { ["word"] = "hello" }, By: "me"));
        Assert.Equal("hello", (await client.Next()).Text);
    }

    [Fact]
    public async Task What_a_model_wrote_cannot_steer_the_terminal_of_whoever_reads_it()
    {
        using PbmClient client = await Connected("");
        var output = new StringWriter();
        await new PbmSession(client, json: false, output, output).RunAsync(["test", "echo", "a\tb\n\u001b]0;mine\a\u009b2J\rdone"], TestContext.Current.CancellationToken);
        Assert.Equal("a\tb\n␛]0;mine␇�2J\ndone", output.ToString().TrimEnd());
    }

    [Fact]
    public async Task A_tail_that_nobody_reads_is_not_made_and_a_client_that_keeps_up_with_no_event_is_dropped()
    {
        using RawClient lazy = await RawClient.Greeted(_open);
        await lazy.Ask(1, "flood");
        int before = await RawClient.Standing(() => Volatile.Read(ref _told));

        // Socket buffers hold some megabytes, and no more is made.
        Assert.InRange(before, 1, 10_000);

        using RawClient deaf = await RawClient.Greeted(_open);
        int asked = 0;
        // On a busy machine a burst may end a tail whose client would have read it; so it is asked for again.
        await deaf.Dropped(meanwhile: () => deaf.Ask(++asked, "push"));
        await _tailEnded.Task.WaitAsync(_patience, TestContext.Current.CancellationToken);

        using PbmClient other = await Connected("");
        Assert.Equal("unharmed", (await Ask(other, "echo", "unharmed")).Single().Text);
    }

    [Fact]
    public async Task A_tail_ends_when_it_is_cancelled_and_the_connection_goes_on()
    {
        using PbmClient client = await Connected("");
        using var interrupted = new CancellationTokenSource();
        int lines = 0;
        await foreach (ResponseLine _ in client.AskAsync(Request("flood", null), interrupted.Token).WithCancellation(TestContext.Current.CancellationToken))
        {
            if (++lines == 10)
            {
                await interrupted.CancelAsync();
            }
        }

        Assert.Equal("next", (await Ask(client, "echo", "next")).Single().Text);
    }

    [Fact]
    public async Task Where_the_port_is_taken_a_free_one_is_used()
    {
        IPEndPoint? other = await InspectionHost.OpenAsync(_system, new Inspector(), new InspectionSettings(true, "127.0.0.1", _open.Port, ""), "node", "");
        Assert.NotNull(other);
        Assert.NotEqual(_open.Port, other.Port);
    }

    [Fact]
    public async Task Under_the_cluster_s_tls_members_with_the_token_are_answered_and_others_are_not()
    {
        using var root = new Runs.TemporaryFolder();
        CertificateFiles.Write(root.Path, ["learner", "operator"], 2, TimeProvider.System);
        CertificateFiles.Write(Path.Combine(root.Path, "foreign"), ["x"], 2, TimeProvider.System);
        ClusterCertificates Load(string folder, string name) => ClusterCertificates.Load(
            new TlsSettings(true, Path.Combine(folder, "ca.pem"), Path.Combine(folder, $"{name}.pem"), Path.Combine(folder, $"{name}.key")), TimeProvider.System)!;
        using ClusterCertificates learner = Load(root.Path, "learner");
        using ClusterCertificates member = Load(root.Path, "operator");
        using ClusterCertificates foreign = Load(Path.Combine(root.Path, "foreign"), "x");
        var palette = new VerbPalette("test", "for tests",
        [
            Verbs.Once("echo", "says it", request => Task.FromResult<IEnumerable<ResponseLine>>([Verbs.Line(request.Arguments["word"])]), Verbs.Place("word", "what")),
            Verbs.Tail("quiet", "says nothing", _ => Source.Maybe<ResponseLine>().MapMaterializedValue(_ => NotUsed.Instance)
                .WatchTermination((_, ended) =>
                {
                    ended.ContinueWith(_ => _tailEnded.TrySetResult(), TaskScheduler.Default);
                    return NotUsed.Instance;
                })),
        ]);
        int port = (await InspectionHost.OpenAsync(_system, new Inspector(palette), new InspectionSettings(true, "127.0.0.1", 0, "secret"), "node", "", learner))!.Port;

        using PbmClient client = await PbmClient.ConnectAsync("127.0.0.1", port, "secret", member);
        Assert.Equal("hello", (await Ask(client, "echo", "hello")).Single().Text);
        Assert.Equal("again", (await Ask(client, "echo", "again")).Single().Text);
        string longWord = new('x', 60_000);
        Assert.Equal(longWord, (await Ask(client, "echo", longWord)).Single().Text);

        Assert.Contains("the token is wrong", (await Refused(port, "guess", member)).Message, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{port}", (await Refused(port, "secret", foreign)).Message, StringComparison.Ordinal);
        Assert.Contains("One whose cluster has TLS wants --tls-ca", (await Refused(port, "secret", null)).Message, StringComparison.Ordinal);
        Assert.Contains("no TLS between members of one cluster", (await Refused(_open.Port, "", member)).Message, StringComparison.Ordinal);

        // A client that goes away ends what it asked for, though that has nothing to say.
        using (PbmClient gone = await PbmClient.ConnectAsync("127.0.0.1", port, "secret", member))
        {
            _ = gone.AskAsync(Request("quiet", null), CancellationToken.None).GetAsyncEnumerator(CancellationToken.None).MoveNextAsync().AsTask();
            await Task.Delay(300, TestContext.Current.CancellationToken);
        }

        await _tailEnded.Task.WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Equal("still here", (await Ask(client, "echo", "still here")).Single().Text);
    }

    private static Task<UserErrorException> Refused(int port, string token, ClusterCertificates? certificates) =>
        Assert.ThrowsAsync<UserErrorException>(() => PbmClient.ConnectAsync("127.0.0.1", port, token, certificates));

    private sealed class LogListener : ReceiveActor
    {
        public LogListener(TaskCompletionSource<string> logged) => Receive<Akka.Event.Warning>(
            new Predicate<Akka.Event.Warning>(warning => warning.ToString().Contains("token", StringComparison.Ordinal)), warning => logged.TrySetResult(warning.Message.ToString()!));
    }

    /// <summary>Connections of others that are being closed count for a moment.</summary>
    private async Task<PbmClient> Connected(string token)
    {
        for (int i = 0; ; i++)
        {
            try
            {
                return await PbmClient.ConnectAsync("127.0.0.1", _open.Port, token);
            }
            catch (UserErrorException) when (i < 50)
            {
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }
    }

    private static InspectionRequest Request(string command, string? word) => new(
        "test", command, word is null ? ImmutableSortedDictionary<string, string>.Empty : ImmutableSortedDictionary<string, string>.Empty.Add("word", word), "me");

    private static async Task<ImmutableArray<ResponseLine>> Ask(PbmClient client, string command, string? word)
    {
        var lines = ImmutableArray.CreateBuilder<ResponseLine>();
        await foreach (ResponseLine line in client.AskAsync(Request(command, word), CancellationToken.None))
        {
            lines.Add(line);
        }

        return lines.ToImmutable();
    }

    private static async Task<HostFrame> Heard(TcpClient tcp)
    {
        var reader = new FrameReader(InspectionWire.LargestResponse);
        byte[] buffer = new byte[4096];
        using var patience = new CancellationTokenSource(_patience);
        while (true)
        {
            int count = await tcp.GetStream().ReadAsync(buffer, patience.Token);
            if (count == 0)
            {
                return new HostFrame(0, HostFrameKind.Refused, "closed");
            }

            if (reader.Feed(buffer.AsSpan(0, count)) is [var first, ..])
            {
                return InspectionWire.ReadResponse(first);
            }
        }
    }
}
