using System.Collections.Immutable;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Security;

namespace Ghpo.Node.Inspecting;

/// <summary>A connection to a host. One request at a time; not thread-safe.</summary>
internal sealed class PbmClient : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private readonly TcpClient _tcp;
    private readonly Stream _stream;
    private readonly FrameReader _reader = new(InspectionWire.LargestResponse);
    private readonly Queue<HostFrame> _frames = new();
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly string _address;
    private int _id;

    private PbmClient(TcpClient tcp, Stream stream, string address)
    {
        _tcp = tcp;
        _stream = stream;
        _address = address;
    }

    public ImmutableArray<InspectionPalette> Palettes { get; private set; } = [];

    /// <summary>Whom it speaks to.</summary>
    public string Node { get; private set; } = "";

    /// <summary>The host has ended the conversation; nothing more can be asked.</summary>
    public bool IsOver { get; private set; }

    /// <param name="certificates">A member's, for a host that speaks TLS; null: it does not.</param>
    /// <exception cref="UserErrorException">Nobody listens there, it is no such host, or it does not let this client in.</exception>
    public static async Task<PbmClient> ConnectAsync(string host, int port, string token, ClusterCertificates? certificates = null)
    {
        string address = $"{host}:{port}";
        var tcp = new TcpClient { NoDelay = true };
        try
        {
            using var patience = new CancellationTokenSource(_patience);
            await tcp.ConnectAsync(host, port, patience.Token);
            var client = new PbmClient(tcp, await StreamOf(tcp, host, certificates, patience.Token), address);
            await client.SendAsync(new ClientFrame(ClientFrameKind.Hello, Version: InspectionWire.Version, Token: token), patience.Token);
            HostFrame welcome = await client.NextAsync(patience.Token);
            client.Palettes = welcome.Palettes ?? [];
            client.Node = welcome.Node ?? "";
            return client;
        }
        catch (AuthenticationException failure)
        {
            tcp.Dispose();
            throw new UserErrorException($"{address}: no TLS between members of one cluster: {failure.Message} A host without ghpo.cluster.tls speaks none.");
        }
        catch (Exception failure) when (failure is SocketException or IOException or OperationCanceledException or FrameException)
        {
            tcp.Dispose();
            string reason = failure is OperationCanceledException ? "nobody answers" : failure.Message.TrimEnd('.');
            throw new UserErrorException($"{address}: {reason}. Is a run going on there? Its first lines say where it can be reached, and so does inspection.json in its folder.{(certificates is null ? " One whose cluster has TLS wants --tls-ca, --tls-certificate and --tls-key." : "")}");
        }
        catch
        {
            tcp.Dispose();
            throw;
        }
    }

    /// <summary>The lines of an answer, as they come.</summary>
    /// <param name="interrupted">Ends a tail.</param>
    /// <exception cref="UserErrorException">The host ended the conversation.</exception>
    public async IAsyncEnumerable<ResponseLine> AskAsync(InspectionRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken interrupted)
    {
        int id = ++_id;
        await WhileConnected(async () =>
        {
            await SendAsync(
                new ClientFrame(ClientFrameKind.Request, id, Palette: request.Palette, Command: request.Command, Arguments: new(request.Arguments), By: request.By), CancellationToken.None);
            return true;
        });
        using CancellationTokenRegistration cancelling = interrupted.Register(() => _ = SendAsync(new ClientFrame(ClientFrameKind.Cancel, id), CancellationToken.None));
        while (true)
        {
            HostFrame frame = await WhileConnected(() => NextAsync(CancellationToken.None));
            if (frame.Kind == HostFrameKind.End && frame.Id == id)
            {
                yield break;
            }

            if (frame.Kind == HostFrameKind.Line && frame.Id == id)
            {
                yield return new ResponseLine(frame.Text, frame.Json, frame.Error, frame.Misused);
            }
        }
    }

    public void Dispose()
    {
        _stream.Dispose();
        _tcp.Dispose();
    }

    private static async Task<Stream> StreamOf(TcpClient tcp, string host, ClusterCertificates? certificates, CancellationToken cancelled)
    {
        if (certificates is null)
        {
            return tcp.GetStream();
        }

        var tls = new SslStream(tcp.GetStream());
        SslClientAuthenticationOptions options = certificates.ForClients();
        options.TargetHost = host;
        await tls.AuthenticateAsClientAsync(options, cancelled);
        return tls;
    }

    /// <exception cref="UserErrorException">The connection is gone.</exception>
    private async Task<T> WhileConnected<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (IOException failure)
        {
            IsOver = true;
            throw new UserErrorException($"{_address}: the connection is gone, as when a run ends: {failure.Message}");
        }
    }

    private async Task SendAsync(ClientFrame frame, CancellationToken cancelled) => await _stream.WriteAsync(InspectionWire.Write(frame), cancelled);

    private async Task<HostFrame> NextAsync(CancellationToken cancelled)
    {
        while (_frames.Count == 0)
        {
            int count = await _stream.ReadAsync(_buffer, cancelled);
            if (count == 0)
            {
                throw new IOException("the host has closed it");
            }

            foreach (byte[] content in _reader.Feed(_buffer.AsSpan(0, count)))
            {
                _frames.Enqueue(InspectionWire.ReadResponse(content));
            }
        }

        HostFrame frame = _frames.Dequeue();
        IsOver = frame.Kind == HostFrameKind.Refused;
        return IsOver ? throw new UserErrorException($"{_address}: {frame.Text}") : frame;
    }
}
