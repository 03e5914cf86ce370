using Akka.Actor;
using Akka.Configuration;
using Ghpo.Inspection;
using Petabridge.Cmd;
using Petabridge.Cmd.Host;

namespace Ghpo.Node.Inspecting;

/// <summary>
/// The palettes of a node on a host of Petabridge.Cmd, so that <c>pbm</c> itself can ask it. Compiled with <c>-p:UsePetabridgeCmd=true</c>, which needs the
/// package. It has not been run against the package: it is compiled and tested against signatures taken from public samples (build/PetabridgeStubs.cs).
/// <para>What differs from <c>ghpo pbm</c>: every argument has its switch (<c>run set --key learning.rate --value 1e-4</c>), a command that its palette's name
/// alone stands for is called <see cref="Unnamed"/> (<c>why show</c>), and lines come at a bounded rate instead of at the client's. That host knows no token,
/// so it is opened on loopback addresses alone.</para>
/// </summary>
internal static class PetabridgeHost
{
    /// <summary>What <c>pbm</c> calls a command without a name.</summary>
    public const string Unnamed = "show";

    /// <summary>Palettes that such a host has by itself.</summary>
    private static readonly string[] _own = ["actor", "log"];

    public static void Start(ActorSystem system, Inspector inspector, string host, int port)
    {
        system.Settings.InjectTopLevelFallback(ConfigurationFactory.ParseString($$"""
            petabridge.cmd {
              host = "{{host}}"
              port = {{port}}
            }
            """));
        PetabridgeCmd cmd = PetabridgeCmd.Get(system);
        foreach (InspectionPalette palette in inspector.Palettes.Where(palette => !_own.Contains(palette.Name)))
        {
            cmd.RegisterCommandPalette(new PetabridgePalette(palette, Native(palette), inspector));
        }

        cmd.Start();
    }

    public static string NameOf(InspectionCommand command) => command.Name.Length > 0 ? command.Name : Unnamed;

    private static CommandPalette Native(InspectionPalette palette) => new(palette.Name, palette.Commands.Select(Native));

    private static CommandDefinition Native(InspectionCommand command) => command.Arguments
        .Aggregate(
            new CommandDefinitionBuilder().WithName(NameOf(command)).WithDescription(command.Description),
            (definition, argument) => definition.WithArgument(builder => Native(builder, argument)))
        .Build();

    private static ArgumentDefinitionBuilder Native(ArgumentDefinitionBuilder builder, InspectionArgument argument)
    {
        ArgumentDefinitionBuilder named = builder.WithName(argument.Name).WithDescription(argument.Description).IsMandatory(argument.Mandatory);
        ArgumentDefinitionBuilder complete = argument.Default is { Length: > 0 } value ? named.WithDefaultValue(value) : named;
        return argument.Switches.Aggregate(complete, (definition, name) => definition.WithSwitch(name));
    }
}
