using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace Ghpo.Security;

/// <summary>
/// Stands in for a serializer of Akka's whose bytes can name any type (Newtonsoft's JSON, Protobuf's by type name) or make an actor (remote deployment): under the
/// same identifier, and refuses everything, sent or received, without looking into it. Who is refused is told in the error that Akka.Remote logs.
/// </summary>
/// <param name="settings">akka.actor.serialization-settings.&lt;its name&gt;: <c>identifier</c>, that of the serializer it stands in for.</param>
public sealed class RefusingSerializer(ExtendedActorSystem system, Config settings) : SerializerWithStringManifest(system)
{
    public override int Identifier { get; } = settings.GetInt("identifier");

    /// <summary>Empty; what is refused at sending is refused by <see cref="ToBinary"/>.</summary>
    public override string Manifest(object o) => "";

    /// <exception cref="SerializationException">Always.</exception>
    public override byte[] ToBinary(object obj) => throw new SerializationException(
        $"{obj.GetType()} does not leave this process: it has no serializer in the closed set. Give a message between nodes a manifest of its own.");

    /// <exception cref="SerializationException">Always.</exception>
    public override object FromBinary(byte[] bytes, string manifest) => throw new SerializationException(
        $"Refused: {bytes.Length} bytes of serializer {Identifier} that call themselves '{(manifest.Length > 200 ? manifest[..200] : manifest)}'. Messages between nodes are of a closed set of types, and this is none of them.");
}
