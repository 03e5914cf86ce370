using System.Numerics;
using System.Text;
using Ghpo.Configuration;

namespace Ghpo.Problems;

/// <summary>
/// The built-in data set. A problem is three chains of digits joined by +, − and ×, evaluated from left to right modulo 10; its difficulty n is
/// the number of operations in the three together, of which all but two are multiplications. Example, n = 4:
/// <code>
/// problem    3+4*7,1*3,7-2
/// solution   3+4=7:7*7,1*3,7-2  each line carries out the first operation of the first chain that still has one: it names the
///            7*7=9:9,1*3,7-2    operation and its result, then rewrites the problem
///            1*3=3:9,3,7-2
///            7-2=5:9,3,5
///            \boxed{935}
/// answer     935
/// </code>
/// So a policy that is sure of + and − and gets a multiplication right with probability p solves n = 1 and 2 always, and does all the work of n = 8
/// right with probability p⁶ (a chain that went wrong still ends on the right digit one time in ten, so its answer is right a little more often).
/// Factors are 3, 7 and 9: they have an inverse modulo 10, so all results stay equally likely, and an answer guessed blindly is right once in
/// 1,000 times: a group of answers does not solve a hard problem by luck. Whether a problem is held out is a function of its text alone: no seed and no
/// setting can put a held-out problem among the training problems.
/// </summary>
public static class ArithmeticProblems
{
    public const string Name = "arithmetic";

    /// <summary>The most operations a problem may have: longer ones only grow the prompt.</summary>
    public const int MaxOperations = 64;

    private const int Chains = 3;

    /// <summary>Operations of a problem that are + or −; the others are multiplications.</summary>
    private const int Sums = 2;

    private const string Factors = "379";

    // A draw that has been seen before is drawn again. Below half of all problems that takes two draws at most on average.
    private const int DrawsPerDistinctProblem = 2;

    /// <summary>
    /// The problems that the settings ask for, none twice. Training problems go round through the numbers of operations; held-out problems
    /// stand in the order of theirs.
    /// </summary>
    /// <exception cref="UserErrorException">A number of operations is out of range, or there are not so many distinct problems.</exception>
    public static ProblemSet Generate(ArithmeticSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        int[] operations = Levels(settings.Operations, "operations");
        int[] heldOutOperations = Levels(settings.HeldOutOperations, "held-out-operations");

        var train = new List<Problem>(settings.Problems);
        Problem[][] byLevel = [.. operations.Select((n, i) =>
            DrawDistinct(settings.Seed, n, DataSplit.Train, Share(settings.Problems, operations.Length, i), "problems"))];
        for (int k = 0; train.Count < settings.Problems; k++)
        {
            train.AddRange(byLevel.Where(level => k < level.Length).Select(level => level[k]));
        }

        Problem[] heldOut = [.. heldOutOperations.SelectMany(n =>
            DrawDistinct(settings.Seed, n, DataSplit.HeldOut, settings.HeldOutProblems, "held-out-problems"))];
        return new ProblemSet(Name, train, heldOut);
    }

    /// <summary>Draws one problem of a split. Draws are independent: the same problem may come twice.</summary>
    /// <param name="random">Moved on by the draw.</param>
    /// <param name="operations">n, from 1 to <see cref="MaxOperations"/>.</param>
    /// <param name="number">The last part of the problem's id.</param>
    public static Problem Draw(ref SplitMix64 random, int operations, DataSplit split, long number = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(operations, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(operations, MaxOperations);
        string text;
        do
        {
            text = DrawText(ref random, operations);
        }
        while (SplitOf(text) != split);
        (string solution, string answer) = Solve(text);
        string level = FormattableString.Invariant($"{operations}");
        string folder = split == DataSplit.Train ? "train" : "held-out";
        return new Problem(new ProblemId(FormattableString.Invariant($"{Name}/{folder}/{level}/{number}")), text, answer, solution, level);
    }

    /// <summary>The split that a problem text belongs to: a fixed tenth of all texts is held out.</summary>
    public static DataSplit SplitOf(string text)
    {
        ArgumentNullException.ThrowIfNull(text);

        // FNV-1a, then a finalizer, because the low bits of FNV alone follow the last character.
        ulong hash = 0xCBF29CE484222325;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 0x100000001B3;
        }

        return SplitMix64.Mix(hash) % 10 == 0 ? DataSplit.HeldOut : DataSplit.Train;
    }

    /// <summary>The worked solution of a problem text, answer line included, and the answer.</summary>
    public static (string Solution, string Answer) Solve(string text) => Solve(text, (_, left, sign, right) => CarryOut(left, sign, right));

    /// <summary>The same by a calculator of one's own.</summary>
    /// <param name="carryOut">(number of the operation from 0, left digit, sign, right digit) → digit.</param>
    public static (string Solution, string Answer) Solve(string text, Func<int, int, char, int, int> carryOut)
    {
        string[] chains = text.Split(',');
        var solution = new StringBuilder();
        int operation = 0;
        for (int i = 0; i < chains.Length; i++)
        {
            while (chains[i].Length > 1)
            {
                int result = carryOut(operation++, chains[i][0] - '0', chains[i][1], chains[i][2] - '0');
                solution.Append(chains[i], 0, 3).Append('=').Append(result).Append(':');
                chains[i] = (char)('0' + result) + chains[i][3..];
                solution.AppendJoin(',', chains).Append('\n');
            }
        }

        string answer = string.Concat(chains);
        return (solution.Append($@"\boxed{{{answer}}}").ToString(), answer);
    }

    /// <summary>left sign right, modulo 10.</summary>
    public static int CarryOut(int left, char sign, int right) => sign switch
    {
        '+' => (left + right) % 10,
        '-' => (left - right + 10) % 10,
        '*' => left * right % 10,
        _ => throw new ArgumentOutOfRangeException(nameof(sign), sign, "is not +, - or *"),
    };

    private static int Multiplications(int operations) => Math.Max(0, operations - Sums);

    private static string DrawText(ref SplitMix64 random, int operations)
    {
        Span<int> lengths = stackalloc int[Chains];
        for (int i = 0; i < operations; i++)
        {
            lengths[random.Below(Chains)]++;
        }

        int multiplications = Multiplications(operations);
        int sums = operations - multiplications;
        var text = new StringBuilder();
        for (int i = 0; i < Chains; i++)
        {
            if (i > 0)
            {
                text.Append(',');
            }

            text.Append((char)('0' + random.Below(10)));
            for (int j = 0; j < lengths[i]; j++)
            {
                // Each order of multiplications and sums is equally likely.
                if (multiplications > 0 && random.Below(multiplications + sums) < multiplications)
                {
                    multiplications--;
                    text.Append('*').Append(Factors[random.Below(Factors.Length)]);
                }
                else
                {
                    sums--;
                    text.Append(random.Below(2) == 0 ? '+' : '-').Append((char)('0' + random.Below(10)));
                }
            }
        }

        return text.ToString();
    }

    private static Problem[] DrawDistinct(long seed, int operations, DataSplit split, int count, string setting)
    {
        // n operations lie in three chains in C(n+2, 2) ways, m of them multiplications in C(n, m) ways (n - m is at most 2); a tenth of all
        // problems is held out, nine tenths are not.
        int multiplications = Multiplications(operations);
        int sums = operations - multiplications;
        BigInteger orders = sums == Sums ? operations * (operations - 1) / 2 : 1;
        BigInteger all = BigInteger.Pow(10, Chains + sums) * BigInteger.Pow(2, sums) * BigInteger.Pow(Factors.Length, multiplications)
            * orders * ((operations + 2) * (operations + 1) / 2);
        BigInteger most = all * (split == DataSplit.HeldOut ? 1 : 9) / (10 * DrawsPerDistinctProblem);
        if (count > most)
        {
            throw new UserErrorException(
                $"ghpo.data.arithmetic.{setting} asks for {count} distinct problems with {operations} operations; at most {most} are served. " +
                "Ask for fewer, or leave that number of operations out.");
        }

        // Each number of operations has a stream of its own: adding one does not change the problems of the others.
        var random = new SplitMix64(SplitMix64.Mix((ulong)seed) ^ SplitMix64.Mix(((ulong)operations << 1) | (ulong)split));
        var seen = new HashSet<string>(count, StringComparer.Ordinal);
        var problems = new Problem[count];
        for (int k = 0; k < count;)
        {
            Problem problem = Draw(ref random, operations, split, k);
            if (seen.Add(problem.Text))
            {
                problems[k++] = problem;
            }
        }

        return problems;
    }

    private static int[] Levels(IReadOnlyList<int> operations, string setting)
    {
        int[] distinct = [.. operations.Distinct()];
        if (distinct.Length == 0 || distinct.Length != operations.Count || distinct.Any(n => n is < 1 or > MaxOperations))
        {
            throw new UserErrorException(
                $"ghpo.data.arithmetic.{setting} = [{string.Join(", ", operations)}] is not a list of different numbers from 1 to {MaxOperations}.");
        }

        return distinct;
    }

    /// <summary>The part of <paramref name="total"/> that falls to one of <paramref name="parts"/>; the first ones get what remains.</summary>
    private static int Share(int total, int parts, int index) => (total / parts) + (index < total % parts ? 1 : 0);
}
