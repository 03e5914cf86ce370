using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Ghpo.Inspection;
using Xunit;

namespace Ghpo.Tests.Inspecting;

public sealed class FrameReaderTests
{
    [Fact]
    public void Frames_come_out_whole_however_the_network_cuts_them() => Prop.ForAll<byte[][], byte[]>((contents, cuts) =>
    {
        byte[][] frames = [.. contents.Select(content => content ?? []).Where(content => content.Length > 0)];
        byte[] bytes = [.. frames.SelectMany(content => FrameReader.Write(content))];
        var reader = new FrameReader(1024);
        List<byte[]> read = [];
        int at = 0;
        foreach (byte cut in cuts ?? [])
        {
            int end = Math.Min(bytes.Length, at + cut % 7);
            read.AddRange(reader.Feed(bytes.AsSpan(at, end - at)));
            at = end;
        }

        read.AddRange(reader.Feed(bytes.AsSpan(at)));
        return frames.Length == read.Count && frames.Zip(read).All(pair => pair is var (written, back) && written.SequenceEqual(back));
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Any_bytes_are_frames_or_a_frame_error_and_never_anything_else()
    {
        var random = new Random(7);
        int refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = new byte[random.Next(1, 64)];
            random.NextBytes(bytes);
            if (i % 2 == 0)
            {
                // Half of them with a length that is possible, so that the content is what is wrong.
                bytes = FrameReader.Write(bytes);
            }

            try
            {
                foreach (byte[] content in new FrameReader(InspectionWire.LargestRequest).Feed(bytes))
                {
                    InspectionWire.ReadRequest(content);
                }
            }
            catch (FrameException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 10_000, 20_000);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(65_537u)]
    [InlineData(2_000_000_000u)]
    [InlineData(uint.MaxValue)]
    public void A_length_that_cannot_be_is_refused_before_anything_is_kept_for_it(uint length)
    {
        byte[] header = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(header, length);
        long before = GC.GetAllocatedBytesForCurrentThread();
        FrameException problem = Assert.Throws<FrameException>(() => new FrameReader(65_536).Feed(header));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        Assert.Equal($"a frame of {length} bytes is announced; 1 to 65536 are possible", problem.Message);
    }

    [Fact]
    public void A_request_of_any_other_shape_is_refused()
    {
        foreach (string json in new[] { "null", "[]", "{\"kind\":\"dance\"}", "{\"kind\":\"request\",\"extra\":1}", "{\"kind\":\"request\",\"arguments\":{\"a\":{\"b\":1}}}", new string('[', 1000) })
        {
            Assert.Throws<FrameException>(() => InspectionWire.ReadRequest(Encoding.UTF8.GetBytes(json)));
        }
    }
}
