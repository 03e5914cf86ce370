using System.Collections.Immutable;

namespace Ghpo.Inspection;

/// <summary>Commands of one subject, as a host offers them to whoever connects. No client knows any of them by itself.</summary>
public sealed record InspectionPalette(string Name, string Description, ImmutableArray<InspectionCommand> Commands);

/// <param name="Name">The second word; "" for the command that the palette's name alone stands for.</param>
/// <param name="Tail">It goes on until it is cancelled.</param>
public sealed record InspectionCommand(string Name, string Description, ImmutableArray<InspectionArgument> Arguments, bool Tail = false);

/// <summary>An argument, given by one of its switches or, where it has a place, without.</summary>
/// <param name="Name">As the host knows it.</param>
/// <param name="Switches">As in <c>-d</c> and <c>--depth</c>; never none.</param>
/// <param name="Positional">It may be given without a switch, in the order of the arguments that may.</param>
/// <param name="Default">In force where it is not given; null: nothing is.</param>
/// <param name="Values">What it may be, to be offered; null: that is no short list.</param>
public sealed record InspectionArgument(
    string Name,
    string Description,
    ArgumentKind Kind,
    ImmutableArray<string> Switches,
    bool Positional,
    bool Mandatory,
    string? Default,
    IReadOnlyList<string>? Values = null);

public enum ArgumentKind
{
    /// <summary>One word.</summary>
    Value,

    /// <summary>A switch alone; "true" where it is given.</summary>
    Flag,

    /// <summary>All words that follow, handed over with a space between them.</summary>
    Words,
}

/// <param name="Arguments">By name. Those with a default may be left out.</param>
/// <param name="By">Who asks, for what is journalled.</param>
public sealed record InspectionRequest(string Palette, string Command, ImmutableSortedDictionary<string, string> Arguments, string By)
{
    public override string ToString() => Command.Length == 0 ? Palette : $"{Palette} {Command}";
}

/// <summary>One line of an answer; the last one is followed by the end of the answer.</summary>
/// <param name="Text">For people.</param>
/// <param name="Json">For scripts: the fact that the line tells, an object; null where the line tells none.</param>
/// <param name="Error">What was asked cannot be done; the last line of its answer.</param>
/// <param name="Misused">With <paramref name="Error"/>: the request itself is wrong.</param>
public sealed record ResponseLine(string Text, string? Json = null, bool Error = false, bool Misused = false);
