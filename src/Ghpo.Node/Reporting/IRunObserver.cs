using Ghpo.Inspection;

namespace Ghpo.Node.Reporting;

/// <summary>Is shown everything that happens in a run, one event at a time, in order. Disposing it flushes and closes what it writes to.</summary>
public interface IRunObserver : IDisposable
{
    /// <param name="runEvent">A record of <see cref="Inspection.RunEvents"/>.</param>
    /// <param name="progress">The state of the run after it.</param>
    void Observe(object runEvent, RunProgress progress);
}
