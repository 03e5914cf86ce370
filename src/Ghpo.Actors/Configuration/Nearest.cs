namespace Ghpo.Configuration;

/// <summary>Finds what a mistyped word most likely meant.</summary>
internal static class Nearest
{
    /// <summary>The candidate with the smallest edit distance, or null where none is nearer than half of the word's length.</summary>
    public static string? To(string word, IEnumerable<string> candidates)
    {
        (string? candidate, int distance) = candidates
            .Select(candidate => ((string?)candidate, Distance(word, candidate)))
            .DefaultIfEmpty((null, int.MaxValue))
            .MinBy(pair => pair.Item2);
        return distance <= Math.Max(2, word.Length / 2) ? candidate : null;
    }

    /// <summary>Levenshtein distance: insertions, deletions and substitutions, each 1.</summary>
    public static int Distance(string from, string to)
    {
        int[] above = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            var row = new int[to.Length + 1];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int substituted = above[j - 1] + (char.ToLowerInvariant(from[i - 1]) == char.ToLowerInvariant(to[j - 1]) ? 0 : 1);
                row[j] = Math.Min(substituted, Math.Min(above[j], row[j - 1]) + 1);
            }

            above = row;
        }

        return above[to.Length];
    }
}
