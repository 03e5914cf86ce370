namespace Ghpo.Node.Commands;

/// <summary>What the process hands back to its caller.</summary>
public static class ExitCodes
{
    public const int Success = 0;

    /// <summary>Something failed that the user did not cause; the message says where the log is.</summary>
    public const int Failure = 1;

    /// <summary>Arguments, configuration, data or files that the user can mend.</summary>
    public const int UserError = 2;

    /// <summary>Stopped by Ctrl-C or SIGTERM (128 + SIGINT, as shells count).</summary>
    public const int Interrupted = 130;
}
