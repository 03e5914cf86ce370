using System.Collections.Frozen;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Remote.Serialization;
using Akka.Serialization;

namespace Ghpo.Security;

/// <summary>
/// Of what Akka's serializer of miscellaneous messages can read, only that which nodes of a run send each other: who are you, here I am, still alive. Not: exceptions,
/// whose type its bytes name; poison, kill and restart; configuration, routers and scopes, which belong to remote deployment.
/// </summary>
public sealed class ClosedMiscSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    /// <summary>Identify, ActorIdentity, IActorRef, the heartbeats of remote watching, Status.Success.</summary>
    private static readonly FrozenSet<string> _allowed = FrozenSet.Create("ID", "AID", "AR", "RWHB", "RWHR", "STS");

    private readonly MiscMessageSerializer _akka = new(system);

    public override int Identifier => _akka.Identifier;

    public override string Manifest(object o) => _akka.Manifest(o);

    public override byte[] ToBinary(object obj) => _allowed.Contains(_akka.Manifest(obj))
        ? _akka.ToBinary(obj)
        : throw new SerializationException($"{obj.GetType()} does not leave this process; answer failures over the network with a message of your own.");

    public override object FromBinary(byte[] bytes, string manifest) => _allowed.Contains(manifest)
        ? _akka.FromBinary(bytes, manifest)
        : throw new SerializationException($"Refused: a message of Akka's own, '{manifest}', that no node of a run sends.");
}
