// What src/Ghpo.Node/Inspecting/Petabridge*.cs uses of the packages Petabridge.Cmd and Petabridge.Cmd.Host, so that it is compiled and tested without them.
// The signatures are those that public samples show; the bodies do what a test needs, and nothing here says what the real ones do.
using Akka.Actor;

namespace Petabridge.Cmd
{
    public sealed class CommandDefinition(string name, string description, IReadOnlyList<ArgumentDefinition> arguments)
    {
        public string Name { get; } = name;

        public string Description { get; } = description;

        public IReadOnlyDictionary<string, ArgumentDefinition> ArgumentsByName { get; } = arguments.ToDictionary(argument => argument.Name);
    }

    public sealed class ArgumentDefinition
    {
        public string Name { get; init; } = "";

        public bool IsMandatory { get; init; }

        public IEnumerable<string> Switch { get; init; } = [];

        public string? DefaultValue { get; init; }
    }

    public sealed class CommandDefinitionBuilder
    {
        private readonly List<ArgumentDefinition> _arguments = [];
        private string _name = "";
        private string _description = "";

        public CommandDefinitionBuilder WithName(string name)
        {
            _name = name;
            return this;
        }

        public CommandDefinitionBuilder WithDescription(string description)
        {
            _description = description;
            return this;
        }

        public CommandDefinitionBuilder WithArgument(Func<ArgumentDefinitionBuilder, ArgumentDefinitionBuilder> argument)
        {
            _arguments.Add(argument(new ArgumentDefinitionBuilder()).Made());
            return this;
        }

        public CommandDefinition Build() => new(_name, _description, _arguments);
    }

    public sealed class ArgumentDefinitionBuilder
    {
        private readonly List<string> _switches = [];
        private string _name = "";
        private bool _mandatory;
        private string? _default;

        public ArgumentDefinitionBuilder WithName(string name)
        {
            _name = name;
            return this;
        }

        public ArgumentDefinitionBuilder WithDescription(string description) => description.Length > 0 ? this : throw new ArgumentException("an argument without description");

        public ArgumentDefinitionBuilder IsMandatory(bool mandatory)
        {
            _mandatory = mandatory;
            return this;
        }

        public ArgumentDefinitionBuilder WithDefaultValue(string value)
        {
            _default = value;
            return this;
        }

        public ArgumentDefinitionBuilder WithSwitch(string name)
        {
            _switches.Add(name);
            return this;
        }

        internal ArgumentDefinition Made() => new() { Name = _name, IsMandatory = _mandatory, Switch = _switches, DefaultValue = _default };
    }

    public sealed class CommandPalette(string moduleName, IEnumerable<CommandDefinition> commands)
    {
        public string ModuleName { get; } = moduleName;

        public IReadOnlyList<CommandDefinition> Commands { get; } = [.. commands];
    }

    /// <summary>What a client asked, on its way to the handler.</summary>
    public sealed class Command(string name, IEnumerable<Tuple<string, string>> arguments)
    {
        public string Name { get; } = name;

        public IEnumerable<Tuple<string, string>> Arguments { get; } = arguments;
    }

    public class CommandResponse(string msg, bool final = true)
    {
        public static readonly CommandResponse Empty = new("");

        public string Msg { get; } = msg;

        public bool Final { get; } = final;
    }

    public sealed class ErroredCommandResponse(string msg) : CommandResponse(msg);
}

namespace Petabridge.Cmd.Host
{
    public sealed class PetabridgeCmd : IExtension
    {
        private static readonly System.Runtime.CompilerServices.ConditionalWeakTable<ActorSystem, PetabridgeCmd> _hosts = [];

        private PetabridgeCmd(ActorSystem system) => Sys = (ExtendedActorSystem)system;

        public ExtendedActorSystem Sys { get; }

        internal List<CommandPaletteHandler> Registered { get; } = [];

        internal bool Started { get; private set; }

        public static PetabridgeCmd Get(ActorSystem system) => _hosts.GetValue(system, one => new PetabridgeCmd(one));

        public void RegisterCommandPalette(CommandPaletteHandler handler) => Registered.Add(handler);

        public void Start() => Started = true;
    }

    public abstract class CommandPaletteHandler(CommandPalette palette)
    {
        public abstract Props HandlerProps { get; }

        internal CommandPalette Palette { get; } = palette;
    }

    public abstract class CommandHandlerActor(CommandPalette palette) : ReceiveActor
    {
        protected void Process(string name, Action<Command> handler)
        {
            if (palette.Commands.All(command => command.Name != name))
            {
                throw new ArgumentException($"{palette.ModuleName} has no command {name}", nameof(name));
            }

            Receive(command => command.Name == name, handler);
        }
    }
}
