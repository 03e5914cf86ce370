using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Akka;
using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using Akka.Util;
using Ghpo.Configuration;

namespace Ghpo.Inspection;

/// <summary>A command and what it does. Run for each request, by whoever serves the palettes to a client.</summary>
/// <param name="Once">The answer, its lines made as they are read; null: it goes on.</param>
/// <param name="Follow">Lines until it is cancelled; null: it answers once.</param>
public sealed record InspectionVerb(
    InspectionCommand Command, Func<InspectionRequest, Task<IEnumerable<ResponseLine>>>? Once, Func<InspectionRequest, Source<ResponseLine, NotUsed>>? Follow);

/// <summary>Verbs of one subject.</summary>
public sealed record VerbPalette(string Name, string Description, ImmutableArray<InspectionVerb> Verbs);

/// <summary>
/// All that a node answers and obeys, whatever way a request came: checks it, runs its verb, and makes what fails the last line of the answer. The client's demand moves
/// an answer: what a client does not read costs the run nothing. Tails are sources; what answers once is not, because a stream of its own costs several times what the
/// answer does. Thread-safe.
/// </summary>
public sealed class Inspector
{
    private readonly Dictionary<(string Palette, string Command), InspectionVerb> _verbs;

    public Inspector(params IEnumerable<VerbPalette> palettes)
    {
        ImmutableArray<VerbPalette> all = [.. palettes];
        Palettes = [.. all.Select(palette => new InspectionPalette(palette.Name, palette.Description, [.. palette.Verbs.Select(verb => verb.Command)]))];
        _verbs = all.SelectMany(palette => palette.Verbs.Select(verb => ((palette.Name, verb.Command.Name), verb))).ToDictionary(pair => pair.Item1, pair => pair.verb);
    }

    public ImmutableArray<InspectionPalette> Palettes { get; }

    /// <summary>Whether the answer goes on until it is cancelled: then it is followed, else answered once.</summary>
    public bool IsTail(InspectionRequest request) => _verbs.TryGetValue((request.Palette, request.Command), out InspectionVerb? verb) && verb.Follow is not null;

    /// <summary>The answer, whatever its kind, made as it is read. It never fails: the last line may say that the request did.</summary>
    public Source<ResponseLine, NotUsed> Answer(InspectionRequest request) => IsTail(request)
        ? Follow(request).Recover(failure => Option<ResponseLine>.Create(Describe(failure)))
        : Source.Single(request).SelectAsync(1, AnswerOnceAsync).SelectMany(lines => lines);

    /// <summary>The answer of a command that is no tail, or of none; its lines are made as they are read. Neither fails: the last line may say that the request did.</summary>
    public async Task<IEnumerable<ResponseLine>> AnswerOnceAsync(InspectionRequest request)
    {
        if (RequestReader.Check(Palettes, request) is { } problem)
        {
            return [new ResponseLine(problem, Error: true, Misused: true)];
        }

        try
        {
            InspectionVerb verb = _verbs[(request.Palette, request.Command)];
            return Guarded(await verb.Once!(Complete(verb, request)));
        }
#pragma warning disable CA1031 // Whatever fails is told to whoever asked.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            return [Describe(failure)];
        }
    }

    /// <summary>The lines of a tail, made as they are read. It fails with <see cref="BufferOverflowException"/> alone, where events do not wait for whoever reads them; else the last line may say that the request did.</summary>
    public Source<ResponseLine, NotUsed> Follow(InspectionRequest request)
    {
        if (RequestReader.Check(Palettes, request) is { } problem)
        {
            return Source.Single(new ResponseLine(problem, Error: true, Misused: true));
        }

        InspectionVerb verb = _verbs[(request.Palette, request.Command)];
        return Source.Single(Complete(verb, request))
            .ConcatMany(verb.Follow!)
            .Recover(failure => failure is BufferOverflowException ? Option<ResponseLine>.None : Option<ResponseLine>.Create(Describe(failure)));
    }

    private static InspectionRequest Complete(InspectionVerb verb, InspectionRequest request) => request with
    {
        Arguments = request.Arguments.AddRange(verb.Command.Arguments
            .Where(argument => argument.Default is not null && !request.Arguments.ContainsKey(argument.Name))
            .Select(argument => KeyValuePair.Create(argument.Name, argument.Default!))),
    };

    private static IEnumerable<ResponseLine> Guarded(IEnumerable<ResponseLine> lines)
    {
        using IEnumerator<ResponseLine> made = lines.GetEnumerator();
        ResponseLine? failed = null;
        while (failed is null)
        {
            try
            {
                if (!made.MoveNext())
                {
                    yield break;
                }
            }
#pragma warning disable CA1031 // As above.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                failed = Describe(failure);
            }

            yield return failed ?? made.Current;
        }
    }

    private static ResponseLine Describe(Exception failure) => failure.GetBaseException() switch
    {
        UserErrorException mistake => new ResponseLine(mistake.Message, Error: true, Misused: true),
        AskTimeoutException => new ResponseLine("No answer came within the time that an actor may take; `why` says who is silent.", Error: true),
        var other => new ResponseLine(other.Message, Error: true),
    };
}

/// <summary>How verbs are written.</summary>
internal static class Verbs
{
    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower), new PolicyVersionConverter() },
    };

    /// <summary>A verb that answers once.</summary>
    internal static InspectionVerb Once(
        string name, string description, Func<InspectionRequest, Task<IEnumerable<ResponseLine>>> answer, params ImmutableArray<InspectionArgument> arguments) =>
        new(new InspectionCommand(name, description, arguments), answer, Follow: null);

    /// <summary>A verb that goes on until it is cancelled.</summary>
    internal static InspectionVerb Tail(
        string name, string description, Func<InspectionRequest, Source<ResponseLine, NotUsed>> answer, params ImmutableArray<InspectionArgument> arguments) =>
        new(new InspectionCommand(name, description, arguments, Tail: true), Once: null, answer);

    /// <summary>An argument that has its place.</summary>
    internal static InspectionArgument Place(
        string name, string description, ArgumentKind kind = ArgumentKind.Value, string? fallback = null, IReadOnlyList<string>? values = null) =>
        new(name, description, kind, [$"--{name}"], Positional: true, Mandatory: fallback is null, fallback, values);

    /// <summary>An argument that may be left out.</summary>
    internal static InspectionArgument Option(string name, string description, string? fallback = null, string? letter = null) =>
        new(name, description, ArgumentKind.Value, letter is null ? [$"--{name}"] : [letter, $"--{name}"], Positional: false, Mandatory: false, fallback);

    internal static InspectionArgument Flag(string name, string description) =>
        new(name, description, ArgumentKind.Flag, [$"--{name}"], Positional: false, Mandatory: false, null);

    internal static ResponseLine Line(string text, object? fact = null) => new(text, fact is null ? null : JsonSerializer.Serialize(fact, _json));

    /// <exception cref="UserErrorException">It is not a whole number in the range.</exception>
    internal static int Number(this InspectionRequest request, string name, int least, int most) =>
        int.TryParse(request.Arguments[name], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int number)
        && number >= least && number <= most
            ? number
            : throw new UserErrorException($"{request}: {name} = {request.Arguments[name]} must be a whole number from {least} to {most}");
}
