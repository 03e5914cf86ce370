using FsCheck;
using FsCheck.Fluent;
using Ghpo.Configuration;
using Ghpo.Problems;
using Xunit;

namespace Ghpo.Tests.Problems;

public sealed class ArithmeticProblemsTests
{
    private static readonly ArithmeticSettings Settings = new([1, 2, 3, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8], 6000, 100, 17);

    [Fact]
    public void A_solution_names_and_carries_out_the_first_operation_of_the_first_open_chain_line_by_line()
    {
        (string solution, string answer) = ArithmeticProblems.Solve("3+4*7,1*3,7-2");

        Assert.Equal("3+4=7:7*7,1*3,7-2\n7*7=9:9,1*3,7-2\n1*3=3:9,3,7-2\n7-2=5:9,3,5\n\\boxed{935}", solution);
        Assert.Equal("935", answer);
    }

    [Theory]
    [InlineData("9+4,0,0", "300")]
    [InlineData("3-7,0,0", "600")]
    [InlineData("0-1-1-9+2,0,0", "100")]
    [InlineData("8*9*7,0,0", "400")]
    public void Results_stay_between_0_and_9(string text, string answer) => Assert.Equal(answer, ArithmeticProblems.Solve(text).Answer);

    [Fact]
    public void The_same_seed_gives_the_same_problems_for_good()
    {
        ProblemSet set = ArithmeticProblems.Generate(Settings);

        // Written down once: a change here means that published runs can no longer be repeated.
        Assert.Equal(
            "arithmetic/train/1/0 1,9-4,6; arithmetic/train/8/999 0,9*3*3*3,6+5+1*9*7*3; arithmetic/held-out/8/99 3-5*9*7,8*9+0,8*9*7*9",
            string.Join("; ", new[] { set.Train[0], set.Train[^1], set.HeldOut[^1] }.Select(problem => $"{problem.Id} {problem.Text}")));
        Assert.Equal(set.Train, ArithmeticProblems.Generate(Settings).Train);
        Assert.NotEqual(set.Train, ArithmeticProblems.Generate(Settings with { Seed = 18 }).Train);
    }

    [Fact]
    public void Each_number_of_operations_gets_an_equal_part_and_the_problems_it_says()
    {
        ProblemSet set = ArithmeticProblems.Generate(Settings with { Problems = 6002 });

        Assert.Equal([1001, 1001, 1000, 1000, 1000, 1000], set.Train.GroupBy(problem => problem.Level).Select(level => level.Count()));
        Assert.Equal(Enumerable.Repeat(100, 8), set.HeldOut.GroupBy(problem => problem.Level).Select(level => level.Count()));
        Assert.All(set.Train.Concat(set.HeldOut), problem =>
        {
            string operations = problem.Text.Count(c => c is '+' or '-' or '*').ToString(System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(problem.Level, operations);
            Assert.Equal(int.Parse(operations, System.Globalization.CultureInfo.InvariantCulture) + 1, problem.Solution!.Split('\n').Length);
        });
    }

    [Fact]
    public void All_operations_but_two_are_multiplications_by_3_7_or_9_in_any_place()
    {
        Problem[] problems = [.. ArithmeticProblems.Generate(Settings).Train];

        Assert.All(problems, problem => Assert.Equal(
            Math.Max(0, int.Parse(problem.Level, System.Globalization.CultureInfo.InvariantCulture) - 2), problem.Text.Count(c => c == '*')));
        Assert.Equal("379", string.Concat(problems.SelectMany(FactorsOf).Distinct().Order()));

        // With 6 operations a sum comes first, or last, in a third of the problems that have signs there.
        Problem[] six = [.. problems.Where(problem => problem.Level == "6")];
        Assert.InRange(six.Count(problem => problem.Text.First(c => c is '+' or '-' or '*') != '*'), 280, 390);
        Assert.InRange(six.Count(problem => problem.Text.Last(c => c is '+' or '-' or '*') != '*'), 280, 390);

        static IEnumerable<char> FactorsOf(Problem problem) => problem.Text.Where((_, i) => i > 0 && problem.Text[i - 1] == '*');
    }

    [Fact]
    public void No_problem_comes_twice_and_no_id_either()
    {
        ProblemSet set = ArithmeticProblems.Generate(Settings);
        Problem[] all = [.. set.Train, .. set.HeldOut];

        Assert.Equal(all.Length, all.Select(problem => problem.Text).Distinct().Count());
        Assert.Equal(all.Length, all.Select(problem => problem.Id).Distinct().Count());
    }

    [Fact]
    public void Whatever_the_seed_a_drawn_training_problem_is_never_a_held_out_one() =>
        Prop.ForAll<ulong, byte>((seed, n) =>
        {
            var random = new SplitMix64(seed);
            Problem train = ArithmeticProblems.Draw(ref random, 1 + (n % 8), DataSplit.Train);
            Problem heldOut = ArithmeticProblems.Draw(ref random, 1 + (n % 8), DataSplit.HeldOut);
            return ArithmeticProblems.SplitOf(train.Text) == DataSplit.Train && ArithmeticProblems.SplitOf(heldOut.Text) == DataSplit.HeldOut;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void About_a_tenth_of_all_problems_is_held_out()
    {
        int heldOut = Enumerable.Range(0, 100_000).Count(i => ArithmeticProblems.SplitOf($"{i / 10 % 10}+{i % 10},{i / 100 % 10},{i / 1000}") == DataSplit.HeldOut);
        Assert.InRange(heldOut, 9_600, 10_400);
    }

    [Fact]
    public void Every_answer_is_about_as_frequent_as_any_other_so_that_guessing_does_not_pay()
    {
        var random = new SplitMix64(5);
        var counts = new Dictionary<string, int>();
        for (int i = 0; i < 50_000; i++)
        {
            string answer = ArithmeticProblems.Draw(ref random, 1 + (i % 8), DataSplit.Train).Answer;
            counts[answer] = counts.GetValueOrDefault(answer) + 1;
        }

        // 50 expected a bin; six standard deviations above that is 0.2 %.
        Assert.Equal(1000, counts.Count);
        Assert.True(counts.Values.Max() < 100, $"The most frequent answer came {counts.Values.Max()} times in 50,000.");
    }

    [Fact]
    public void Another_number_of_operations_leaves_the_problems_of_the_others_as_they_are()
    {
        ProblemSet few = ArithmeticProblems.Generate(Settings with { Operations = [1, 2], Problems = 20 });
        ProblemSet more = ArithmeticProblems.Generate(Settings with { Operations = [1, 2, 5], Problems = 30 });

        Assert.Equal(few.Train.Where(problem => problem.Level == "2"), more.Train.Where(problem => problem.Level == "2"));
    }

    [Fact]
    public void More_problems_than_there_are_is_an_error_instead_of_an_endless_search()
    {
        var e = Assert.Throws<UserErrorException>(() => ArithmeticProblems.Generate(Settings with { HeldOutProblems = 100_000 }));
        Assert.Contains("ghpo.data.arithmetic.held-out-problems", e.Message, StringComparison.Ordinal);
        Assert.Contains("1 operations", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65)]
    public void A_number_of_operations_out_of_range_is_named(int operations)
    {
        var e = Assert.Throws<UserErrorException>(() => ArithmeticProblems.Generate(Settings with { Operations = [1, operations] }));
        Assert.Contains($"ghpo.data.arithmetic.operations = [1, {operations}]", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_below_a_bound_are_equally_frequent()
    {
        var random = new SplitMix64(1);
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++)
        {
            counts[random.Below(7)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 9_500, 10_500));
    }

    [Fact]
    public void The_generator_is_SplitMix64()
    {
        // First outputs for seed 1234567, as published with the reference implementation.
        var random = new SplitMix64(1234567);
        Assert.Equal([6457827717110365317UL, 3203168211198807973UL, 9817491932198370423UL], [random.Next(), random.Next(), random.Next()]);
    }
}
