using Ghpo.Bench;
using Ghpo.Configuration;
using Ghpo.Models;

TorchThreads.PreferPassiveWaiting();
try
{
    return args switch
    {
        ["rollout", .. var rest] => RolloutBench.Run(rest),
        ["plain-loop", .. var rest] => PlainLoop.Run(rest),
        _ => throw new UserErrorException("Which benchmark? rollout, or plain-loop."),
    };
}
catch (UserErrorException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
