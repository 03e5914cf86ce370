using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Remote.Serialization;
using Akka.Serialization;

namespace Ghpo.Security;

/// <summary>
/// Of Akka's system messages only those of death watch. The others (stop, restart, supervise, failed with an exception of any type) belong to remote deployment. Under
/// manifests of our own, so that no type name is read.
/// </summary>
public sealed class ClosedSystemMessageSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private readonly SystemMessageSerializer _akka = new(system);

    public override int Identifier => _akka.Identifier;

    public override string Manifest(object o) => o switch
    {
        Watch => "watch-v1",
        Unwatch => "unwatch-v1",
        DeathWatchNotification => "died-v1",
        _ => "",
    };

    public override byte[] ToBinary(object obj) => Manifest(obj).Length > 0
        ? _akka.ToBinary(obj)
        : throw new SerializationException($"{obj.GetType()} does not leave this process: nodes watch each other's actors, they do not manage them.");

    public override object FromBinary(byte[] bytes, string manifest) => manifest switch
    {
        "watch-v1" => _akka.FromBinary(bytes, typeof(Watch)),
        "unwatch-v1" => _akka.FromBinary(bytes, typeof(Unwatch)),
        "died-v1" => _akka.FromBinary(bytes, typeof(DeathWatchNotification)),
        _ => throw new SerializationException($"Refused: a system message '{(manifest.Length > 200 ? manifest[..200] : manifest)}', which is none of death watch."),
    };
}
