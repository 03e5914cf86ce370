using System.Net;
using Akka.Actor;
using Akka.Event;
using Ghpo.Inspection;

namespace Ghpo.Node.Inspecting;

internal static partial class InspectionHost
{
    /// <summary>Gives the port that <c>pbm</c> looks at to a host of Petabridge.Cmd, and a free one to this project's own.</summary>
    static partial void OpenPetabridge(ActorSystem system, Inspector inspector, ref InspectionSettings settings)
    {
        ILoggingAdapter log = Logging.GetLogger(system, "inspection");
        if (settings.Port == 0 || !IPAddress.TryParse(settings.Host, out IPAddress? address) || !IPAddress.IsLoopback(address))
        {
            log.Warning("Petabridge.Cmd is not opened on {Host}:{Port}: it knows no token, so it needs a loopback address, and a port of its own", settings.Host, settings.Port);
            return;
        }

        PetabridgeHost.Start(system, inspector, settings.Host, settings.Port);
        log.Info("Petabridge.Cmd at {Host}:{Port}", settings.Host, settings.Port);
        settings = settings with { Port = 0 };
    }
}
