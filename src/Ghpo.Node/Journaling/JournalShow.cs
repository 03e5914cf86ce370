using System.Globalization;
using Ghpo.Journal;

namespace Ghpo.Node.Journaling;

/// <summary>Which events are asked for.</summary>
/// <param name="From">No events of earlier steps; null: from the beginning.</param>
/// <param name="To">No events of later steps; null: to the end.</param>
/// <param name="Kinds">Of these kinds only; none: all.</param>
/// <param name="Problem">About this problem only; null: all.</param>
internal sealed record EventFilter(int? From, int? To, IReadOnlyList<string> Kinds, string? Problem)
{
    /// <summary>An event that is about no step has no place in a range of steps.</summary>
    public bool Takes(EventLine line) =>
        (From is null || line.Step >= From)
        && (To is null || line.Step <= To)
        && (Problem is null || line.Problems.Any(problem => problem.Value == Problem));
}

/// <summary><c>ghpo journal show</c>: events in the order of writing, a line each, printed as they are read.</summary>
internal static class JournalShow
{
    public static void Print(JournalReader journal, EventFilter filter, bool json, TextWriter output)
    {
        if (!json)
        {
            output.WriteLine($"{"order",7}  {"written (UTC)",-19}  {"kind",-10}  {"step",7}  event");
        }

        foreach (JournalEntry entry in journal.AllEntries([.. EventLine.ManifestsOf(filter.Kinds)]))
        {
            EventLine line = EventLine.Of(entry.Event);
            if (filter.Takes(line))
            {
                output.WriteLine(json ? JournalJson.OneLine(entry, line) : Of(entry, line));
            }
        }
    }

    private static string Of(JournalEntry entry, EventLine line)
    {
        string place = line.Group?.ToString() ?? line.Step?.ToString(CultureInfo.InvariantCulture) ?? "–";
        return string.Create(
            CultureInfo.InvariantCulture, $"{entry.Ordering,7}  {entry.Written:yyyy-MM-dd HH:mm:ss}  {line.Kind,-10}  {place,7}  {line.Text}");
    }
}
