using Ghpo.Curriculum;
using Ghpo.Dispatch;
using Ghpo.Problems;
using Ghpo.Rollout;
using Xunit;
using static Ghpo.Dispatch.VerificationProtocol;

namespace Ghpo.Tests.Dispatch;

public sealed class AnswerLedgerTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_is_lost_or_comes_late_each_answer_is_with_one_node_or_the_learner_and_is_judged_once(int seed)
    {
        var random = new Random(seed);
        var ledger = new AnswerLedger(Deadline);
        HashSet<AnswerKey> open = [], pending = [], here = [];
        Dictionary<AnswerKey, (string Node, TimeSpan Taken)> with = [];
        TimeSpan now = TimeSpan.Zero;
        for (int move = 0; move < 3000; move++)
        {
            now += TimeSpan.FromSeconds(random.NextDouble());
            string node = $"{random.Next(3)}";
            switch (random.Next(6))
            {
                case 0 or 1:
                    AnswerToJudge offered = Answer(move);
                    ledger.Offer(offered);
                    ledger.Offer(offered);
                    open.Add(offered.Key);
                    pending.Add(offered.Key);
                    break;
                case 2 or 3:
                    AnswerToJudge? taken = ledger.Take(node, now);
                    Assert.Equal(pending.Count == 0, taken is null);
                    if (taken is not null)
                    {
                        Assert.True(pending.Remove(taken.Key));
                        with.Add(taken.Key, (node, now));
                    }

                    break;
                case 4:
                    AnswerKey[] underway = [.. with.Keys.Concat(here)];
                    if (underway.Length > 0)
                    {
                        AnswerKey judged = underway[random.Next(underway.Length)];
                        Assert.Equal(open.Remove(judged), ledger.Deliver(judged));
                        Assert.False(ledger.Deliver(judged));
                        with.Remove(judged);
                    }

                    break;
                default:
                    string[] overdue = [.. with.Values.Where(lease => now - lease.Taken >= Deadline).Select(lease => lease.Node).Distinct().Order()];
                    Assert.Equal(overdue, ledger.Overdue(now).Order());
                    foreach (string lost in overdue.Append(node).Distinct())
                    {
                        AnswerKey[] had = [.. with.Where(lease => lease.Value.Node == lost).Select(lease => lease.Key)];
                        Assert.Equal(had.ToHashSet(), ledger.Return(lost).Select(answer => answer.Key).ToHashSet());
                        Array.ForEach(had, key => with.Remove(key));
                        here.UnionWith(had);
                    }

                    break;
            }

            Assert.Equal((open.Count, pending.Count), (ledger.Open, ledger.Pending));
        }

        Assert.Equal(pending, ledger.ReturnPending().Select(answer => answer.Key).ToHashSet());
        Assert.Null(ledger.Take("0", now));
    }

    private static AnswerToJudge Answer(int number) =>
        new(new AnswerKey(new WorkKey(new GroupId(0, number), 0), 0), new ProblemId("p"), "7", "\\boxed{7}", FinishReason.Stopped);
}
