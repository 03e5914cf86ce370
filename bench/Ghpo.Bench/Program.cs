using Ghpo.Bench;

switch (args.FirstOrDefault())
{
    case "rollout":
        return RolloutBench.Run(args[1..]);
    default:
        Console.Error.WriteLine("Which benchmark? rollout");
        return 1;
}
