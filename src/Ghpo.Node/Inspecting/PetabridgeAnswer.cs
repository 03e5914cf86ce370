using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Inspection;
using Petabridge.Cmd;

namespace Ghpo.Node.Inspecting;

/// <summary>
/// One answer on its way to a client of Petabridge.Cmd. Lifecycle: from the request to the answer's last line, or to the client's end, which ends a tail. Failure: an
/// answer that fails says so in its last line; the stream dies with this actor.
/// </summary>
internal sealed class PetabridgeAnswer : ReceiveActor
{
    /// <summary>That host has no demand to follow.</summary>
    public const int LinesASecond = 200;

    private readonly Inspector _inspector;
    private readonly InspectionRequest _request;
    private readonly IActorRef _client;
    private bool _failed;

    public PetabridgeAnswer(Inspector inspector, InspectionRequest request, IActorRef client)
    {
        _inspector = inspector;
        _request = request;
        _client = client;
        Receive<ResponseLine>(line =>
        {
            _failed = line.Error;
            _client.Tell(line.Error ? new ErroredCommandResponse(line.Text) : new CommandResponse(line.Text, final: false));
        });
        Receive<Ended>(_ =>
        {
            // An error ends an answer by itself.
            if (!_failed)
            {
                _client.Tell(CommandResponse.Empty);
            }

            Context.Stop(Self);
        });
        Receive<Terminated>(_ => Context.Stop(Self));
    }

    protected override void PreStart()
    {
        Context.Watch(_client);
        _inspector.Answer(_request)
            .Throttle(LinesASecond, TimeSpan.FromSeconds(1), LinesASecond, ThrottleMode.Shaping)
            .RunWith(Sink.ActorRef<ResponseLine>(Self, new Ended(), _ => new Ended()), Context.Materializer());
    }

    private sealed record Ended;
}
