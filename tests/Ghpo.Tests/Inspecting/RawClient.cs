using System.Net;
using System.Net.Sockets;
using Ghpo.Inspection;
using Xunit;

namespace Ghpo.Tests.Inspecting;

/// <summary>A client of the inspection that sends and reads frame by frame, or does not.</summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly TcpClient _tcp = new();
    private readonly FrameReader _reader = new(InspectionWire.LargestResponse);
    private readonly Queue<HostFrame> _frames = new();
    private readonly byte[] _buffer = new byte[64 * 1024];

    /// <summary>One that the host has let in.</summary>
    public static async Task<RawClient> Greeted(IPEndPoint host)
    {
        var client = new RawClient();
        await client._tcp.ConnectAsync(host.Address, host.Port, TestContext.Current.CancellationToken);
        await client.Send(new ClientFrame(ClientFrameKind.Hello, Version: InspectionWire.Version));
        Assert.Equal(HostFrameKind.Welcome, (await client.Next()).Kind);
        return client;
    }

    /// <summary>Asks for a command of the palette "test".</summary>
    public Task Ask(int id, string command) => Send(new ClientFrame(ClientFrameKind.Request, id, Palette: "test", Command: command));

    public async Task Send(ClientFrame frame) => await _tcp.GetStream().WriteAsync(InspectionWire.Write(frame), TestContext.Current.CancellationToken);

    /// <returns>The next frame; the text of an error begins with "error: ".</returns>
    public async Task<(int Id, HostFrameKind Kind, string Text)> Next()
    {
        using var patience = new CancellationTokenSource(_patience);
        while (_frames.Count == 0)
        {
            int count = await _tcp.GetStream().ReadAsync(_buffer, patience.Token);
            Assert.NotEqual(0, count);
            foreach (byte[] content in _reader.Feed(_buffer.AsSpan(0, count)))
            {
                _frames.Enqueue(InspectionWire.ReadResponse(content));
            }
        }

        HostFrame frame = _frames.Dequeue();
        return (frame.Id, frame.Kind, $"{(frame.Error ? "error: " : "")}{frame.Text}");
    }

    /// <returns>What is counted, once it has begun to grow and grows no more.</returns>
    public static async Task<int> Standing(Func<int> count)
    {
        int before = -1;
        while (count() is var now && (now != before || now == 0))
        {
            before = now;
            await Task.Delay(300, TestContext.Current.CancellationToken);
        }

        return before;
    }

    /// <summary>Reads nothing until the host has dropped the connection.</summary>
    /// <param name="meanwhile">Done each tenth of a second; sends something.</param>
    public async Task Dropped(Func<Task>? meanwhile = null)
    {
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            while (true)
            {
                await (meanwhile?.Invoke() ?? Send(new ClientFrame(ClientFrameKind.Cancel, int.MaxValue)));
                await Task.Delay(100, patience.Token);
            }
        }
        catch (IOException)
        {
            // Reset by the host.
        }
    }

    public void Dispose() => _tcp.Dispose();
}
