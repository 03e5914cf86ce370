namespace Ghpo.Node.Reporting;

/// <summary>What the user watches while a run goes on.</summary>
internal interface IRunView : IRunObserver
{
    /// <summary>Shows a line of text between the figures. Thread-safe.</summary>
    void Note(string text);
}
