using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Ghpo.Bench;

/// <summary>The plainest way of bytes over loopback TCP: a thread that reads and sends, a thread that receives and writes, a buffer of one MiB each.</summary>
internal static class LoopbackCopy
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Seconds to copy a file into another one.</summary>
    public static double OfFile(string source, string target)
    {
        using FileStream from = new(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        using FileStream to = new(target, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        return Run(from.Length, buffer => from.Read(buffer), to.Write);
    }

    /// <summary>Seconds to send as many bytes that are read from nowhere and written nowhere.</summary>
    public static double OfNothing(long bytes)
    {
        long left = bytes;
        return Run(
            bytes,
            buffer =>
            {
                int piece = (int)Math.Min(buffer.Length, left);
                left -= piece;
                return piece;
            },
            _ => { });
    }

    private delegate int Reader(Span<byte> buffer);

    private delegate void Writer(ReadOnlySpan<byte> bytes);

    private static double Run(long bytes, Reader read, Writer write)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        long started = Stopwatch.GetTimestamp();
        var sender = new Thread(() =>
        {
            using var client = new TcpClient();
            client.Connect((IPEndPoint)listener.LocalEndpoint);
            byte[] buffer = new byte[BufferBytes];
            int piece;
            while ((piece = read(buffer)) > 0)
            {
                client.Client.Send(buffer.AsSpan(0, piece));
            }
        });
        sender.Start();
        using (TcpClient accepted = listener.AcceptTcpClient())
        {
            byte[] buffer = new byte[BufferBytes];
            long received = 0;
            int piece;
            while ((piece = accepted.Client.Receive(buffer)) > 0)
            {
                write(buffer.AsSpan(0, piece));
                received += piece;
            }

            if (received != bytes)
            {
                throw new InvalidOperationException($"{received} of {bytes} bytes arrived.");
            }
        }

        sender.Join();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }
}
