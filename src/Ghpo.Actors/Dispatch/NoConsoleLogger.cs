using Akka.Event;

namespace Ghpo.Dispatch;

/// <summary>
/// In the place of Akka's own console logger, which speaks while no other logger runs, at any log level: before the loggers start and after they have
/// stopped. The console belongs to the run's view.
/// </summary>
public sealed class NoConsoleLogger : MinimalLogger
{
    protected override void Log(object message)
    {
    }
}
