namespace Ghpo.Configuration;

/// <summary>
/// Something the user can mend: the message names the thing, the place and the way out, and is shown without a stack trace.
/// </summary>
public sealed class UserErrorException(string message) : Exception(message);
