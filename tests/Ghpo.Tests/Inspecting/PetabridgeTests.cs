using Akka;
using Akka.Actor;
using Akka.Streams.Dsl;
using Akka.TestKit.Xunit;
using Ghpo.Inspection;
using Ghpo.Node.Inspecting;
using Petabridge.Cmd;
using Petabridge.Cmd.Host;
using Xunit;

namespace Ghpo.Tests.Inspecting;

/// <summary>The adapter to Petabridge.Cmd against stubs of its signatures; the real package is not here, and nothing here says that it works with it.</summary>
public sealed class PetabridgeTests : TestKit
{
    private readonly PetabridgeCmd _host;

    public PetabridgeTests()
        : base("akka.test.single-expect-default = 30s")
    {
        var inspector = new Inspector(
            new VerbPalette("run", "the run",
            [
                Verbs.Once("set", "change", request => Task.FromResult<IEnumerable<ResponseLine>>(
                    [Verbs.Line(string.Join(" ", request.Arguments.Select(pair => $"{pair.Key}={pair.Value}"))), Verbs.Line($"by {request.By}")]),
                    Verbs.Place("key", "what"), Verbs.Place("value", "to what", ArgumentKind.Words), Verbs.Option("last", "how many", "10", "-n"), Verbs.Flag("yes", "surely")),
                Verbs.Once("fail", "fails", _ => throw new InvalidOperationException("it broke")),
                Verbs.Tail("tail", "goes on", _ => Source.Tick(TimeSpan.Zero, TimeSpan.FromMilliseconds(10), "tick").Select(text => Verbs.Line(text)).MapMaterializedValue(_ => NotUsed.Instance)),
            ]),
            new VerbPalette("why", "what it waits for", [Verbs.Once("", "in a sentence", _ => Task.FromResult<IEnumerable<ResponseLine>>([Verbs.Line("nothing")]))]),
            new VerbPalette("log", "the log", [Verbs.Once("level", "how much", _ => throw new NotSupportedException())]));
        PetabridgeHost.Start(Sys, inspector, "127.0.0.1", 9110);
        _host = PetabridgeCmd.Get(Sys);
    }

    [Fact]
    public void Every_palette_but_those_that_the_host_has_itself_is_registered_with_names_switches_and_defaults()
    {
        Assert.True(_host.Started);
        Assert.Equal(9110, Sys.Settings.Config.GetInt("petabridge.cmd.port"));
        Assert.Equal(["run", "why"], _host.Registered.Select(handler => handler.Palette.ModuleName));
        Assert.Equal(["set", "fail", "tail"], _host.Registered[0].Palette.Commands.Select(command => command.Name));
        Assert.Equal(PetabridgeHost.Unnamed, Assert.Single(_host.Registered[1].Palette.Commands).Name);
        IReadOnlyDictionary<string, ArgumentDefinition> arguments = _host.Registered[0].Palette.Commands[0].ArgumentsByName;
        Assert.Equal((true, null), (arguments["key"].IsMandatory, arguments["key"].DefaultValue));
        Assert.Equal((false, "10"), (arguments["last"].IsMandatory, arguments["last"].DefaultValue));
        Assert.Equal(["-n", "--last"], arguments["last"].Switch);
    }

    [Fact]
    public void A_command_becomes_a_request_and_its_lines_become_responses_with_an_end()
    {
        Ask(0, new Command("set", [Tuple.Create("--key", "learning.rate"), Tuple.Create("--value", "1e-4"), Tuple.Create("--yes", "")]));
        Assert.Equal("key=learning.rate last=10 value=1e-4 yes=true", Line());
        Assert.Equal("by pbm", Line());
        Assert.Same(CommandResponse.Empty, ExpectMsg<CommandResponse>(cancellationToken: Cancelled));

        Ask(1, new Command(PetabridgeHost.Unnamed, []));
        Assert.Equal("nothing", Line());
        Assert.Same(CommandResponse.Empty, ExpectMsg<CommandResponse>(cancellationToken: Cancelled));
    }

    [Fact]
    public void What_fails_or_is_asked_wrongly_is_an_error_and_nothing_follows_it()
    {
        Ask(0, new Command("fail", []));
        Assert.Equal("it broke", ExpectMsg<ErroredCommandResponse>(cancellationToken: Cancelled).Msg);
        Ask(0, new Command("set", [Tuple.Create("--key", "x")]));
        Assert.Contains("run set needs value", ExpectMsg<ErroredCommandResponse>(cancellationToken: Cancelled).Msg, StringComparison.Ordinal);
        ExpectNoMsg(TimeSpan.FromMilliseconds(200), Cancelled);
    }

    [Fact]
    public async Task A_tail_ends_with_its_client()
    {
        Akka.TestKit.TestProbe client = CreateTestProbe();
        IActorRef handler = Sys.ActorOf(_host.Registered[0].HandlerProps);
        handler.Tell(new Command("tail", []), client);
        client.ExpectMsg<CommandResponse>(cancellationToken: Cancelled);
        client.ExpectMsg<CommandResponse>(cancellationToken: Cancelled);
        IActorRef answer = await Sys.ActorSelection($"{handler.Path}/*").ResolveOne(TimeSpan.FromSeconds(5), Cancelled);
        Watch(answer);
        Sys.Stop(client);
        await ExpectTerminatedAsync(answer, cancellationToken: Cancelled);
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private void Ask(int palette, Command command) => Sys.ActorOf(_host.Registered[palette].HandlerProps).Tell(command, TestActor);

    private string Line()
    {
        CommandResponse response = ExpectMsg<CommandResponse>(cancellationToken: Cancelled);
        Assert.False(response.Final);
        return response.Msg;
    }
}
