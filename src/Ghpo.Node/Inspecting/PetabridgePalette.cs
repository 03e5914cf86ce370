using System.Collections.Immutable;
using Akka.Actor;
using Ghpo.Inspection;
using Petabridge.Cmd;
using Petabridge.Cmd.Host;

namespace Ghpo.Node.Inspecting;

/// <summary>A palette of this node, registered with a host of Petabridge.Cmd. Like <see cref="PetabridgeHost"/> not run against the real one.</summary>
internal sealed class PetabridgePalette(InspectionPalette palette, CommandPalette native, Inspector inspector) : CommandPaletteHandler(native)
{
    public override Props HandlerProps { get; } = Props.Create(() => new PetabridgeCommands(palette, native, inspector));
}

/// <summary>Makes requests of what a client of that host asked; each answer has an actor of its own, which lives as long as it does.</summary>
internal sealed class PetabridgeCommands : CommandHandlerActor
{
    /// <summary>Who asks, for the journal: that host does not say.</summary>
    private const string By = "pbm";

    public PetabridgeCommands(InspectionPalette palette, CommandPalette native, Inspector inspector)
        : base(native)
    {
        foreach (InspectionCommand command in palette.Commands)
        {
            Process(PetabridgeHost.NameOf(command), asked =>
            {
                var request = new InspectionRequest(palette.Name, command.Name, Arguments(command, asked), By);
                IActorRef client = Sender;
                Context.ActorOf(Props.Create(() => new PetabridgeAnswer(inspector, request, client)));
            });
        }
    }

    /// <summary>What was given, by name; a switch alone is a flag that is given.</summary>
    private static ImmutableSortedDictionary<string, string> Arguments(InspectionCommand command, Command asked) => command.Arguments
        .Select(argument => (argument, Given: asked.Arguments.FirstOrDefault(given => argument.Switches.Contains(given.Item1))))
        .Where(pair => pair.Given is not null)
        .ToImmutableSortedDictionary(
            pair => pair.argument.Name, pair => pair.argument.Kind == ArgumentKind.Flag ? "true" : pair.Given!.Item2, StringComparer.Ordinal);
}
