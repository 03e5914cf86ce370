using Ghpo.Models;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Models;

public sealed class TorchThreadsTests
{
    [Fact]
    public void A_thread_keeps_its_number_of_torch_threads_whatever_others_set()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "On Linux torch runs on libgomp; elsewhere this is not promised.");
        using var bothSet = new Barrier(2);
        int[] seen = new int[2];
        Thread[] threads =
        [
            .. Enumerable.Range(0, 2).Select(index => new Thread(() =>
            {
                TorchThreads.UseOnThisThread(index + 1);
                bothSet.SignalAndWait();
                using (ones(2, 2).matmul(ones(2, 2)))
                {
                    seen[index] = get_num_threads();
                }
            })),
        ];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Assert.Equal([1, 2], seen);
    }
}
