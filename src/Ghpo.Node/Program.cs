using Ghpo.Models;
using Ghpo.Node.Commands;

// Before anything loads libtorch, which reads the environment once.
TorchEnvironment.Prepare();
return await GhpoCommandLine.RunAsync(args, Console.Out, Console.Error);
