using System.Runtime.Serialization;
using System.Text;
using Akka.Actor;
using Ghpo.Dispatch;
using Xunit;

namespace Ghpo.Tests.Security;

public sealed class ClosedSerializationTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A type that no serializer of the closed set writes.</summary>
    public sealed record Outsider(string Text);

    /// <summary>Makes Newtonsoft write <c>$type</c> for what is inside.</summary>
    public sealed record Envelope(object Content);

    [Fact]
    public async Task A_polymorphic_json_payload_is_refused_unread_and_logged_and_the_association_lives_on()
    {
        await using RemoteSystem node = RemoteSystem.Node();
        await using RemoteSystem stranger = RemoteSystem.Stranger();
        var polymorphic = new Envelope(new Outsider("hello"));
        string json = Encoding.UTF8.GetString(stranger.System.Serialization.FindSerializerFor(polymorphic).ToBinary(polymorphic));
        Assert.Contains("$type", json, StringComparison.Ordinal);
        stranger.EarOf(node).Tell(polymorphic);

        Assert.Equal("pong", await stranger.EarOf(node).Ask<string>("ping", _patience, Stop));
        Assert.Equal(["ping"], node.Heard);
        await node.ComplainsAsync($"Refused: {json.Length} bytes of serializer 1");
    }

    [Fact]
    public async Task A_type_outside_the_set_does_not_leave_a_node_and_that_is_logged()
    {
        await using RemoteSystem one = RemoteSystem.Node();
        await using RemoteSystem other = RemoteSystem.Node();
        one.EarOf(other).Tell(new Outsider("hello"));

        Assert.Equal("pong", await one.EarOf(other).Ask<string>("ping", _patience, Stop));
        Assert.Equal(["ping"], other.Heard);
        await one.ComplainsAsync("Serialization failed", "No serializer binding found for type Outsider");
    }

    [Fact]
    public async Task Exceptions_and_poison_are_refused_from_a_stranger()
    {
        await using RemoteSystem node = RemoteSystem.Node();
        await using RemoteSystem stranger = RemoteSystem.Stranger();
        Assert.Equal("pong", await stranger.EarOf(node).Ask<string>("ping", _patience, Stop));
        IActorRef ear = await stranger.EarOf(node).ResolveOne(_patience, Stop);

        stranger.EarOf(node).Tell(new Status.Failure(new InvalidOperationException("chosen by the sender")));
        ear.Tell(PoisonPill.Instance);
        ear.Tell(Kill.Instance);

        Assert.Equal("pong", await stranger.EarOf(node).Ask<string>("ping", _patience, Stop));
        Assert.Equal(["ping", "ping"], node.Heard);
        foreach (string refused in new[] { "'STF'", "'PP'", "'K'" })
        {
            await node.ComplainsAsync("Refused:", refused);
        }
    }

    /// <summary>Newtonsoft, Protobuf by type name, remote deployment, reliable delivery; then system messages under a type's name.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(36)]
    [InlineData(22)]
    public async Task Bytes_that_name_a_type_or_make_an_actor_are_refused_whatever_they_hold(int serializer)
    {
        await using RemoteSystem node = RemoteSystem.Node();
        SerializationException refused = Assert.Throws<SerializationException>(
            () => node.System.Serialization.Deserialize([1, 2, 3], serializer, typeof(FileInfo).AssemblyQualifiedName!));
        Assert.Contains("Refused:", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nodes_watch_each_others_actors_over_the_closed_set()
    {
        await using RemoteSystem one = RemoteSystem.Node();
        await using RemoteSystem other = RemoteSystem.Node();
        IActorRef far = await one.EarOf(other).ResolveOne(_patience, Stop);
        var died = new TaskCompletionSource<IActorRef>(TaskCreationOptions.RunContinuationsAsynchronously);
        IActorRef watcher = one.System.ActorOf(Props.Create(() => new Watcher(far, died)));
        Assert.Equal("watching", await watcher.Ask<string>("?", _patience, Stop));
        other.System.Stop(other.Ear);

        Assert.Equal(far, await died.Task.WaitAsync(_patience, Stop));
    }

    [Fact]
    public async Task A_node_is_answered_when_it_knocks_at_the_door_of_its_learner()
    {
        await using RemoteSystem learner = RemoteSystem.Node();
        await using RemoteSystem node = RemoteSystem.Node();
        ActorIdentity answer = await node.EarOf(learner).Ask<ActorIdentity>(NodeActor.WhoIs("run"), _patience, Stop);

        Assert.Equal(learner.Ear.Path.Uid, answer.Subject.Path.Uid);
    }

    private sealed class Watcher : ReceiveActor
    {
        public Watcher(IActorRef far, TaskCompletionSource<IActorRef> died)
        {
            Context.Watch(far);
            Receive<Terminated>(gone => died.TrySetResult(gone.ActorRef));
            ReceiveAny(_ => Sender.Tell("watching"));
        }
    }
}
