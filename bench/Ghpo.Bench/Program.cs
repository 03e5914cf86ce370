using Ghpo.Bench;
using Ghpo.Configuration;
using Ghpo.Models;

TorchThreads.PreferPassiveWaiting();
try
{
    return args is [var name, .. var rest]
        ? name switch
        {
            "plain-loop" => PlainLoop.Run(rest),
            _ => throw new UserErrorException($"There is no benchmark {name}; there is plain-loop."),
        }
        : throw new UserErrorException("Name a benchmark: plain-loop.");
}
catch (UserErrorException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
