using System.Net;
using System.Net.Sockets;
using Akka;
using Akka.Actor;
using Akka.Streams.Dsl;
using Ghpo.Inspection;
using Ghpo.Node.Inspecting;
using Xunit;

namespace Ghpo.Tests.Inspecting;

/// <summary>Several requests of one client at a time, frame by frame on a real socket.</summary>
public sealed class InspectionConversationTests : IAsyncLifetime
{
    private readonly ActorSystem _system = ActorSystem.Create("inspection-conversation-tests", "akka.loglevel = WARNING\nakka.stdout-loglevel = OFF\nakka.loggers = []");
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _begun;
    private int _made;
    private IPEndPoint _host = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var palette = new VerbPalette("test", "for tests",
        [
            Verbs.Once("echo", "says it", _ => Task.FromResult<IEnumerable<ResponseLine>>([Verbs.Line("here")])),
            Verbs.Once("slow", "waits for the test", async _ =>
            {
                Interlocked.Increment(ref _begun);
                await _gate.Task;
                return [Verbs.Line("at last")];
            }),
            Verbs.Once("half", "fails at its second line", _ => Task.FromResult(Enumerable.Range(0, 3).Select(i => i < 1 ? Verbs.Line($"{i}") : throw new InvalidOperationException("it broke")))),
            Verbs.Once("long", "more than anybody reads", _ => Task.FromResult(Enumerable.Range(0, 200_000).Select(_ =>
            {
                Interlocked.Increment(ref _made);
                return Verbs.Line(new string('x', 10_000));
            }))),
            Verbs.Tail("quiet", "says nothing", _ => Source.Maybe<ResponseLine>().MapMaterializedValue(_ => NotUsed.Instance)),
        ]);
        _host = (await InspectionHost.OpenAsync(_system, new Inspector(palette), new InspectionSettings(true, "127.0.0.1", 0, ""), "node", ""))!;
    }

    public async ValueTask DisposeAsync() => await _system.Terminate();

    [Fact]
    public async Task A_question_is_answered_while_others_of_the_same_client_and_of_another_take_their_time()
    {
        using RawClient one = await RawClient.Greeted(_host);
        using RawClient other = await RawClient.Greeted(_host);
        for (int id = 1; id < InspectionConversation.MostAnswers; id++)
        {
            await one.Ask(id, "slow");
        }

        foreach (RawClient client in new[] { one, other })
        {
            await client.Ask(20, "echo");
            Assert.Equal((20, HostFrameKind.Line, "here"), await client.Next());
            Assert.Equal((20, HostFrameKind.End, ""), await client.Next());
        }

        Assert.Equal(InspectionConversation.MostAnswers - 1, _begun);
        _gate.SetResult();
        HashSet<int> ended = [];
        while (ended.Count < InspectionConversation.MostAnswers - 1)
        {
            if (await one.Next() is (int id, HostFrameKind.End, _))
            {
                ended.Add(id);
            }
        }
    }

    [Fact]
    public async Task A_question_too_many_is_refused_and_a_cancellation_behind_it_is_heard()
    {
        using RawClient client = await RawClient.Greeted(_host);
        for (int id = 1; id <= InspectionConversation.MostAnswers; id++)
        {
            await client.Ask(id, "slow");
        }

        foreach (int id in new[] { 9, 10, 11 })
        {
            await client.Ask(id, "slow");
            Assert.Equal((id, HostFrameKind.Line, "error: test slow: 8 answers are being made on this connection already; wait for one, or cancel it"), await client.Next());
            Assert.Equal((id, HostFrameKind.End, ""), await client.Next());
        }

        // Nothing was read meanwhile: what is refused waits for no answer, nor does what comes behind it.
        await client.Ask(12, "slow");
        await client.Send(new ClientFrame(ClientFrameKind.Cancel, 5));
        Assert.Equal(12, (await client.Next()).Id);
        Assert.Equal((12, HostFrameKind.End, ""), await client.Next());
        Assert.Equal((5, HostFrameKind.End, ""), await client.Next());
        await client.Ask(13, "echo");
        Assert.Equal((13, HostFrameKind.Line, "here"), await client.Next());
        Assert.Equal((13, HostFrameKind.End, ""), await client.Next());
        Assert.Equal(InspectionConversation.MostAnswers, _begun);
    }

    [Fact]
    public async Task Each_of_eight_unread_answers_can_be_cancelled_by_a_client_that_reads_nothing()
    {
        using RawClient client = await RawClient.Greeted(_host);
        for (int id = 1; id <= InspectionConversation.MostAnswers; id++)
        {
            await client.Ask(id, "long");
        }

        int before = await RawClient.Standing(() => Volatile.Read(ref _made));

        for (int id = 1; id <= InspectionConversation.MostAnswers; id++)
        {
            await client.Send(new ClientFrame(ClientFrameKind.Cancel, id));
        }

        // All are heard before anything is read, or 200,000 lines of each of the others would be.
        int ended = 0;
        while (ended < InspectionConversation.MostAnswers)
        {
            ended += (await client.Next()).Kind == HostFrameKind.End ? 1 : 0;
        }

        Assert.InRange(_made, before, 20_000);
    }

    [Fact]
    public async Task An_answer_that_is_cancelled_ends_before_it_is_there_and_its_number_is_free_again()
    {
        using RawClient client = await RawClient.Greeted(_host);
        await client.Ask(1, "slow");
        await client.Send(new ClientFrame(ClientFrameKind.Cancel, 1));
        Assert.Equal((1, HostFrameKind.End, ""), await client.Next());
        await client.Ask(1, "echo");
        Assert.Equal((1, HostFrameKind.Line, "here"), await client.Next());
        Assert.Equal((1, HostFrameKind.End, ""), await client.Next());
    }

    [Fact]
    public async Task A_hello_that_comes_byte_by_byte_and_is_not_whole_in_time_ends_its_connection()
    {
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(_host.Address, _host.Port, Stop);
        byte[] hello = InspectionWire.Write(new ClientFrame(ClientFrameKind.Hello, Version: InspectionWire.Version));
        Task<int> closed = tcp.GetStream().ReadAsync(new byte[1], Stop).AsTask();
        for (int i = 0; i < hello.Length - 1 && !closed.IsCompleted; i++)
        {
            await tcp.GetStream().WriteAsync(hello.AsMemory(i, 1), Stop);
            await Task.WhenAny(closed, Task.Delay(500, Stop));
        }

        // Reset, or closed without a word.
        Assert.Equal(0, await closed.ContinueWith(read => read.IsFaulted ? 0 : read.Result, TaskScheduler.Default).WaitAsync(TimeSpan.FromSeconds(60), Stop));
    }

    [Fact]
    public async Task An_answer_that_fails_half_way_says_so_in_its_last_line()
    {
        using RawClient client = await RawClient.Greeted(_host);
        await client.Ask(1, "half");
        Assert.Equal((1, HostFrameKind.Line, "0"), await client.Next());
        Assert.Equal((1, HostFrameKind.Line, "error: it broke"), await client.Next());
        Assert.Equal((1, HostFrameKind.End, ""), await client.Next());
    }

    [Fact]
    public async Task Of_a_long_answer_no_more_is_made_than_is_read_and_cancelled_it_ends()
    {
        using RawClient client = await RawClient.Greeted(_host);
        await client.Ask(1, "long");
        int before = await RawClient.Standing(() => Volatile.Read(ref _made));

        // Socket buffers hold some megabytes.
        Assert.InRange(before, 1, 10_000);
        await client.Send(new ClientFrame(ClientFrameKind.Cancel, 1));
        while ((await client.Next()).Kind != HostFrameKind.End)
        {
        }

        Assert.InRange(_made, before, 20_000);
    }

    [Fact]
    public async Task A_tail_too_many_is_refused_and_those_that_are_followed_can_be_cancelled()
    {
        using RawClient client = await RawClient.Greeted(_host);
        for (int id = 1; id <= InspectionConversation.MostTails; id++)
        {
            await client.Ask(id, "quiet");
        }

        await client.Ask(9, "quiet");
        Assert.Equal((9, HostFrameKind.Line, "error: test quiet: 8 tails are followed on this connection already; end one first"), await client.Next());
        Assert.Equal((9, HostFrameKind.End, ""), await client.Next());
        foreach (int id in new[] { 3, 8 })
        {
            await client.Send(new ClientFrame(ClientFrameKind.Cancel, id));
            Assert.Equal((id, HostFrameKind.End, ""), await client.Next());
        }

        await client.Ask(10, "quiet");
        await client.Send(new ClientFrame(ClientFrameKind.Cancel, 10));
        Assert.Equal((10, HostFrameKind.End, ""), await client.Next());
    }
}
