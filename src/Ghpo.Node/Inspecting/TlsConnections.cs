using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Akka;
using Akka.Event;
using Akka.IO;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Security;

namespace Ghpo.Node.Inspecting;

/// <summary>
/// Connections under TLS with certificates on both sides, as streams; Akka.Streams' own TCP knows no TLS. A client that is no member, or does not finish its
/// handshake in time, is closed and named in the log. Disposing it closes the port; connections end with their streams.
/// </summary>
internal sealed class TlsConnections : IDisposable
{
    private const int ReadBytes = 16 * 1024;
    private static readonly TimeSpan _handshakePatience = TimeSpan.FromSeconds(10);

    private readonly TcpListener _listener;
    private readonly ClusterCertificates _certificates;
    private readonly ILoggingAdapter _log;

    private TlsConnections(TcpListener listener, ClusterCertificates certificates, ILoggingAdapter log)
    {
        _listener = listener;
        _certificates = certificates;
        _log = log;
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    /// <exception cref="SocketException">The port cannot be opened.</exception>
    public static TlsConnections Open(IPAddress address, int port, ClusterCertificates certificates, ILoggingAdapter log)
    {
        var listener = new TcpListener(address, port);
        listener.Start();
        return new TlsConnections(listener, certificates, log);
    }

    /// <summary>Serves connections until disposed.</summary>
    /// <param name="begin">The conversation of a new peer, asked for before the handshake; disposed when it is over.</param>
    public async Task ServeAsync(Func<string, (Flow<ByteString, ByteString, NotUsed> Conversation, IDisposable Place)> begin, IMaterializer materializer)
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            _ = ServeAsync(client, begin, materializer);
        }
    }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync(TcpClient client, Func<string, (Flow<ByteString, ByteString, NotUsed> Conversation, IDisposable Place)> begin, IMaterializer materializer)
    {
        string peer = client.Client.RemoteEndPoint?.ToString() ?? "";
        (Flow<ByteString, ByteString, NotUsed> conversation, IDisposable place) = begin(peer);
        using (client)
        using (place)
        {
            try
            {
                await using var tls = new SslStream(client.GetStream());
                using var patience = new CancellationTokenSource(_handshakePatience);
                await tls.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions
                    {
                        ServerCertificate = _certificates.Own,
                        ClientCertificateRequired = true,
                        RemoteCertificateValidationCallback = (_, certificate, _, _) => _certificates.WhyNoMember(certificate) is null,
                    },
                    patience.Token);
                await Read(tls).Via(conversation).SelectAsync(1, bytes => Write(tls, bytes)).RunWith(Sink.Ignore<NotUsed>(), materializer);
            }
            catch (Exception ended) when (ended is AuthenticationException or OperationCanceledException)
            {
                _log.Warning("Client {Peer} is refused: {Reason}", peer, ended.Message);
            }
#pragma warning disable CA1031 // Whatever ends a connection ends it alone, as on Akka.Streams' own TCP.
            catch (Exception ended)
#pragma warning restore CA1031
            {
                _log.Debug("The connection of client {Peer} is over: {Reason}", peer, ended.Message);
            }
        }
    }

    /// <summary>A client's end of the connection ends its conversation, tails that say nothing included.</summary>
    private static Source<ByteString, NotUsed> Read(SslStream tls) => Source.UnfoldAsync(new byte[ReadBytes], async buffer =>
    {
        int count = await tls.ReadAsync(buffer);
        return count > 0
            ? Akka.Util.Option<(byte[], ByteString)>.Create((buffer, ByteString.CopyFrom(buffer, 0, count)))
            : throw new IOException("the client has closed it");
    });

    private static async Task<NotUsed> Write(SslStream tls, ByteString bytes)
    {
        await tls.WriteAsync(bytes.ToArray());
        return NotUsed.Instance;
    }
}
