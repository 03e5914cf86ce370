using Ghpo.Models.Simd;
using Xunit;

namespace Ghpo.Tests.Models;

public sealed class CrewTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_item_of_every_round_is_done_once(int threads)
    {
        using var crew = new Crew(threads);
        for (int round = 0; round < 400; round++)
        {
            // Fewer items than threads, and more; a pause now and then, so that helpers fall asleep.
            int[] done = new int[round % 23];
            crew.Run(done.Length, (item, thread) =>
            {
                Assert.InRange(thread, 0, threads - 1);
                Interlocked.Increment(ref done[item]);
            });
            Assert.All(done, times => Assert.Equal(1, times));
            if (round % 50 == 0)
            {
                Thread.Sleep(5);
            }
        }
    }

    [Fact]
    public void A_thread_that_is_held_up_keeps_one_item_and_the_others_do_the_rest()
    {
        using var crew = new Crew(2);
        using var restDone = new CountdownEvent(19);
        int[] doneBy = new int[20];
        int held = -1;
        crew.Run(doneBy.Length, (item, thread) =>
        {
            doneBy[item] = thread;
            if (Interlocked.CompareExchange(ref held, item, -1) == -1)
            {
                Assert.True(restDone.Wait(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
            }
            else
            {
                restDone.Signal();
            }
        });
        Assert.Single(doneBy, thread => thread == doneBy[held]);
    }

    [Fact]
    public void What_fails_in_an_item_is_thrown_to_the_caller_when_the_others_are_done()
    {
        using var crew = new Crew(3);
        int done = 0;
        string message = Assert.Throws<InvalidOperationException>(() => crew.Run(30, (item, _) =>
        {
            if (item == 17)
            {
                throw new ArithmeticException("seventeen");
            }

            Interlocked.Increment(ref done);
        })).Message;
        Assert.Contains("seventeen", message, StringComparison.Ordinal);
        Assert.Equal(29, done);
        crew.Run(30, (_, _) => Interlocked.Increment(ref done));
        Assert.Equal(59, done);
    }
}
