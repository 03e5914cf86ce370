using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Ghpo.Policy.Plane;
using Xunit;

namespace Ghpo.Tests.Policy.Plane;

public sealed class PolicyDirectoryTests
{
    private static readonly Uri _learner = new("http://learner:1/");

    private static Uri Worker(int i) => new($"http://worker-{i}:1/");

    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    [InlineData(1000)]
    public void When_all_ask_at_once_the_tree_is_a_logarithm_deep_and_no_link_carries_more_than_two_copies(int workers)
    {
        var tree = new SourceTree(_learner);
        for (int i = 0; i < workers; i++)
        {
            Assert.InRange(tree.Ask(Worker(i), []).Length, 1, 2);
        }

        Assert.All(tree.Load, node => Assert.InRange(node.Given, 0, SourceTree.Capacity));
        Assert.Equal((int)Math.Ceiling(Math.Log2(workers + 2)) - 1, tree.Load.Max(node => node.Level));
        Assert.Equal(2 * workers, tree.Load.Sum(node => node.Given));
    }

    [Fact]
    public void Nobody_waits_in_a_circle_and_nobody_is_sent_to_itself_or_to_a_source_that_failed_it_whatever_happens() =>
        Prop.ForAll<(byte Kind, byte Who, byte Failed)[]>(steps =>
        {
            var tree = new SourceTree(_learner);
            var sources = new Dictionary<Uri, ImmutableArray<Uri>>();
            foreach ((byte kind, byte who, byte failed) in steps)
            {
                Uri worker = Worker(who % 12);
                switch (kind % 4)
                {
                    case 0:
                        tree.NoteWhole(worker);
                        sources.Remove(worker);
                        break;
                    case 1:
                        tree.Forget(worker);
                        sources.Remove(worker);

                        // A fetch leaves a source that is gone.
                        foreach (Uri child in sources.Keys.ToArray())
                        {
                            sources[child] = sources[child].Remove(worker);
                        }

                        break;
                    default:
                        // Whoever asks again has begun anew; those that it served find nothing here, and ask again in turn.
                        Uri[] without = kind % 4 == 2 ? [] : [Worker(failed % 12)];
                        foreach (Uri child in sources.Keys.ToArray())
                        {
                            sources[child] = sources[child].Remove(worker);
                        }

                        ImmutableArray<Uri> given = tree.Ask(worker, without);
                        if (given.IsEmpty || given.Contains(worker) || given.Intersect(without).Any())
                        {
                            return false;
                        }

                        sources[worker] = given;
                        break;
                }

                if (sources.Keys.Any(start => Reaches(sources, start, start)))
                {
                    return false;
                }
            }

            return true;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void One_that_comes_later_is_sent_to_workers_that_have_everything_and_not_to_the_learner()
    {
        var directory = new PolicyDirectory(_learner, kept: 2);
        directory.Publish("p");
        Assert.Equal([_learner], directory.Ask("p", Worker(0), []));
        directory.NoteWhole("p", Worker(0));
        Assert.Equal([Worker(0)], directory.Ask("p", Worker(1), []));
        directory.NoteWhole("p", Worker(1));
        Assert.Equal([Worker(0), Worker(1)], directory.Ask("p", Worker(2), []));
        Assert.Equal(3, directory.Whole("p"));
    }

    [Fact]
    public void A_source_that_two_could_not_fetch_from_is_given_to_nobody_until_it_speaks_up()
    {
        var tree = new SourceTree(_learner);
        tree.Ask(Worker(0), []);
        tree.NoteWhole(Worker(0));
        Assert.Equal([Worker(0)], tree.Ask(Worker(1), []));
        Assert.DoesNotContain(Worker(0), tree.Ask(Worker(1), [Worker(0)]));
        Assert.Contains(Worker(0), tree.Ask(Worker(2), []));
        Assert.DoesNotContain(Worker(0), tree.Ask(Worker(2), [Worker(0)]));
        Assert.DoesNotContain(Worker(0), tree.Ask(Worker(3), []));
        tree.NoteWhole(Worker(0));
        Assert.Contains(Worker(0), tree.Ask(Worker(4), []));
    }

    [Fact]
    public void Two_policies_can_be_asked_for_and_an_older_one_cannot()
    {
        var directory = new PolicyDirectory(_learner, kept: 2);
        foreach (string hash in new[] { "a", "b", "a", "c" })
        {
            directory.Publish(hash);
        }

        Assert.Empty(directory.Ask("b", Worker(0), []));
        Assert.Equal([_learner], directory.Ask("a", Worker(0), []));
        Assert.Equal([_learner], directory.Ask("c", Worker(0), []));
    }

    private static bool Reaches(Dictionary<Uri, ImmutableArray<Uri>> sources, Uri from, Uri target) =>
        sources.TryGetValue(from, out ImmutableArray<Uri> next) && next.Any(source => source == target || Reaches(sources, source, target));
}
