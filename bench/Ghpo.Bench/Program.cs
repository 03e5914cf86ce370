using Ghpo.Bench;
using Ghpo.Bench.Simulation;
using Ghpo.Configuration;
using Ghpo.Models;

TorchEnvironment.Prepare();
try
{
    return args switch
    {
        ["rollout", .. var rest] => RolloutBench.Run(rest),
        ["generation", .. var rest] => GenerationBench.Run(rest),
        ["training", .. var rest] => TrainingBench.Run(rest),
        ["scaling", .. var rest] => ScalingBench.Run(rest),
        ["training-memory", .. var rest] => TrainingMemoryBench.Run(rest),
        ["overhead", .. var rest] => await OverheadBench.RunAsync(rest),
        ["memory", .. var rest] => await MemoryBench.RunAsync(rest),
        ["load", .. var rest] => LoadBench.Run(rest),
        ["journal", .. var rest] => await JournalBench.RunAsync(rest),
        ["chaos", .. var rest] => await ChaosBench.RunAsync(rest),
        ["cluster-chaos", .. var rest] => await ClusterChaosBench.RunAsync(rest),
        ["cluster-faults", .. var rest] => await ClusterFaultsBench.RunAsync(rest),
        ["policy", .. var rest] => await PolicyBench.RunAsync(rest),
        ["inspection", .. var rest] => await InspectionBench.RunAsync(rest),
        ["spread", .. var rest] => SpreadBench.Run(rest),
        ["simulate", .. var rest] => await SimulateBench.RunAsync(rest),
        ["simulated-run", .. var rest] => await SimulatedRun.RunAsync(rest),
        ["simulated-nodes", .. var rest] => await SimulatedNodes.RunAsync(rest),
        ["workers", .. var rest] => await WorkersBench.RunAsync(rest),
        ["staleness", .. var rest] => await StalenessBench.RunAsync(rest),
        ["plain-loop", .. var rest] => PlainLoop.Run(rest),
        ["verifier", .. var rest] => VerifierBench.Run(rest),
        ["verifier-pairs", .. var rest] => VerifierPairsBench.Run(rest),
        ["verifier-worst", .. var rest] => VerifierWorstBench.Run(rest),
        ["fuzz", .. var rest] => VerifierFuzz.Run(rest),
        _ => throw new UserErrorException("Which benchmark? rollout, generation, training, training-memory, scaling, overhead, memory, load, journal, chaos, cluster-chaos, cluster-faults, policy, inspection, spread, simulate, workers, staleness, verifier, verifier-worst, verifier-pairs, fuzz, or plain-loop."),
    };
}
catch (UserErrorException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}
