using Ghpo.Configuration;

namespace Ghpo.Problems;

/// <summary>The problems that ghpo.data names: the built-in data set, or a file and perhaps a held-out file.</summary>
public static class ProblemSource
{
    /// <summary>
    /// Loads training and held-out problems. A training problem whose text is also held out is left out of training and reported as skipped;
    /// where a held-out id is that of a training problem, all held-out ids are prefixed by <c>held-out/</c>.
    /// </summary>
    /// <exception cref="UserErrorException">
    /// The data cannot be used; see <see cref="ProblemFile.Read"/> and <see cref="ArithmeticProblems.Generate"/>.
    /// </exception>
    public static ProblemSet Load(DataSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ProblemSet all = settings.Source == ArithmeticProblems.Name ? Arithmetic(settings) : Files(settings);
        return settings.Limit > 0 ? all with { Train = [.. all.Train.Take(settings.Limit)] } : all;
    }

    private static ProblemSet Arithmetic(DataSettings settings)
    {
        ProblemSet builtIn = ArithmeticProblems.Generate(settings.Arithmetic);
        if (settings.HeldOut.Length == 0)
        {
            return builtIn;
        }

        ProblemFileResult heldOut = ProblemFile.Read(settings.HeldOut, settings);
        return Separate(builtIn.Name, settings.Source, new ProblemFileResult(builtIn.Train, []), heldOut);
    }

    private static ProblemSet Files(DataSettings settings)
    {
        ProblemFileResult train = ProblemFile.Read(settings.Source, settings);
        ProblemFileResult heldOut = settings.HeldOut.Length == 0 ? new ProblemFileResult([], []) : ProblemFile.Read(settings.HeldOut, settings);
        return Separate(Path.GetFileNameWithoutExtension(settings.Source), Path.GetFullPath(settings.Source), train, heldOut);
    }

    private static ProblemSet Separate(string name, string trainFile, ProblemFileResult train, ProblemFileResult heldOut)
    {
        var heldOutTexts = heldOut.Problems.Select(problem => problem.Text).ToHashSet(StringComparer.Ordinal);
        ILookup<bool, Problem> byUse = train.Problems.ToLookup(problem => heldOutTexts.Contains(problem.Text));
        Problem[] kept = [.. byUse[false]];
        if (kept.Length == 0)
        {
            throw new UserErrorException($"{trainFile}: every training problem is also in the held-out file. Give another ghpo.data.held-out.");
        }

        var trainIds = kept.Select(problem => problem.Id).ToHashSet();
        IReadOnlyList<Problem> measured = heldOut.Problems.Any(problem => trainIds.Contains(problem.Id))
            ? [.. heldOut.Problems.Select(problem => problem with { Id = new ProblemId($"held-out/{problem.Id}") })]
            : heldOut.Problems;
        return new ProblemSet(name, kept, measured)
        {
            Skipped =
            [
                .. train.Skipped,
                .. heldOut.Skipped,
                .. byUse[true].Select(problem => new SkippedRow(trainFile, 0, SkipCause.HeldOut, $"{problem.Id} is held out")),
            ],
        };
    }
}
