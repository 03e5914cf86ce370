using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Ghpo.Models;

/// <summary>
/// Normalization form C, from a table of its own: the runtime normalises nothing when its globalization is invariant, as it is here so that no system
/// library is needed. The table's Unicode version stands in its first line. Source: Unicode Standard Annex 15, and chapter 3.12 for Hangul.
/// </summary>
internal static class CanonicalComposition
{
    private const int HangulFirst = 0xAC00;
    private const int LeadFirst = 0x1100;
    private const int VowelFirst = 0x1161;
    private const int TailFirst = 0x11A7;
    private const int Leads = 19;
    private const int Vowels = 21;
    private const int Tails = 28;
    private const int Syllables = Leads * Vowels * Tails;

    /// <summary>Below it no character combines with one before it or is decomposed for good.</summary>
    private const char FirstCombining = '\u0300';

    private static readonly FrozenDictionary<int, byte> Classes;
    private static readonly FrozenDictionary<int, (int First, int Second)> Decompositions;
    private static readonly FrozenDictionary<(int First, int Second), int> Compositions;

    static CanonicalComposition()
    {
        var classes = new Dictionary<int, byte>();
        var decompositions = new Dictionary<int, (int, int)>();
        var compositions = new Dictionary<(int, int), int>();
        using Stream stream = typeof(CanonicalComposition).Assembly.GetManifestResourceStream("canonical-forms.txt")!;
        using var reader = new StreamReader(stream);
        UnicodeVersion = reader.ReadLine()!;
        while (reader.ReadLine() is { } line)
        {
            string[] parts = line.Split(' ');
            if (parts[0] == "c")
            {
                for (int code = Hexadecimal(parts[1]); code <= Hexadecimal(parts[2]); code++)
                {
                    classes.Add(code, byte.Parse(parts[3], CultureInfo.InvariantCulture));
                }

                continue;
            }

            (int, int) pair = (Hexadecimal(parts[2]), parts.Length > 3 ? Hexadecimal(parts[3]) : 0);
            decompositions.Add(Hexadecimal(parts[1]), pair);
            if (parts[0] == "d")
            {
                compositions.Add(pair, Hexadecimal(parts[1]));
            }
        }

        Classes = classes.ToFrozenDictionary();
        Decompositions = decompositions.ToFrozenDictionary();
        Compositions = compositions.ToFrozenDictionary();
    }

    internal static string UnicodeVersion { get; }

    /// <param name="text">Without half surrogate pairs.</param>
    internal static string Apply(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange(FirstCombining, char.MaxValue))
        {
            return text;
        }

        var codes = new List<int>(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, codes);
        }

        Order(codes);
        Compose(codes);
        var result = new StringBuilder(text.Length);
        foreach (int code in codes)
        {
            result.Append(new Rune(code));
        }

        return result.ToString();
    }

    private static void Decompose(int code, List<int> codes)
    {
        if (code - HangulFirst is >= 0 and < Syllables and var syllable)
        {
            codes.Add(LeadFirst + syllable / (Vowels * Tails));
            codes.Add(VowelFirst + syllable % (Vowels * Tails) / Tails);
            if (syllable % Tails != 0)
            {
                codes.Add(TailFirst + syllable % Tails);
            }
        }
        else if (Decompositions.TryGetValue(code, out (int First, int Second) pair))
        {
            Decompose(pair.First, codes);
            if (pair.Second != 0)
            {
                Decompose(pair.Second, codes);
            }
        }
        else
        {
            codes.Add(code);
        }
    }

    /// <summary>Sorts each run of combining marks by class; marks of one class keep their order.</summary>
    private static void Order(List<int> codes)
    {
        for (int start = 0; start < codes.Count; start++)
        {
            int end = start;
            while (end < codes.Count && Class(codes[end]) != 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                int[] sorted = [.. codes.Skip(start).Take(end - start).OrderBy(Class)];
                for (int i = 0; i < sorted.Length; i++)
                {
                    codes[start + i] = sorted[i];
                }
            }

            start = Math.Max(start, end - 1);
        }
    }

    /// <summary>Joins each starter with the marks behind it that nothing of the same or a higher class keeps from it.</summary>
    private static void Compose(List<int> codes)
    {
        int starter = -1;
        int kept = 0;
        int between = -1;
        foreach (int code in codes.ToArray())
        {
            int @class = Class(code);
            if (starter >= 0 && between < @class && Join(codes[starter], code) is { } joined)
            {
                codes[starter] = joined;
                continue;
            }

            if (@class == 0)
            {
                starter = kept;
                between = -1;
            }
            else
            {
                between = @class;
            }

            codes[kept++] = code;
        }

        codes.RemoveRange(kept, codes.Count - kept);
    }

    private static int? Join(int first, int second)
    {
        if (first - LeadFirst is >= 0 and < Leads and var lead && second - VowelFirst is >= 0 and < Vowels and var vowel)
        {
            return HangulFirst + (lead * Vowels + vowel) * Tails;
        }

        if (first - HangulFirst is >= 0 and < Syllables and var syllable && syllable % Tails == 0 && second - TailFirst is > 0 and < Tails and var tail)
        {
            return first + tail;
        }

        return Compositions.TryGetValue((first, second), out int joined) ? joined : null;
    }

    private static int Class(int code) => Classes.GetValueOrDefault(code);

    private static int Hexadecimal(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
