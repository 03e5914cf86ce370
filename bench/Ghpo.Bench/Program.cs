using Ghpo.Bench;
using Ghpo.Configuration;
using Ghpo.Models;

TorchEnvironment.Prepare();
try
{
    return args switch
    {
        ["rollout", .. var rest] => RolloutBench.Run(rest),
        ["overhead", .. var rest] => await OverheadBench.RunAsync(rest),
        ["memory", .. var rest] => await MemoryBench.RunAsync(rest),
        ["journal", .. var rest] => await JournalBench.RunAsync(rest),
        ["chaos", .. var rest] => await ChaosBench.RunAsync(rest),
        ["plain-loop", .. var rest] => PlainLoop.Run(rest),
        ["verifier", .. var rest] => VerifierBench.Run(rest),
        ["fuzz", .. var rest] => VerifierFuzz.Run(rest),
        _ => throw new UserErrorException("Which benchmark? rollout, overhead, memory, journal, chaos, verifier, fuzz, or plain-loop."),
    };
}
catch (UserErrorException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
