using Ghpo.Node.Commands;

return await GhpoCommandLine.RunAsync(args, Console.Out, Console.Error);
