using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Models;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo merge</c>: a model with a LoRA adapter added to its weights.</summary>
internal static class MergeCommand
{
    public static Command Build()
    {
        var model = new Argument<string>("MODEL") { Description = "Folder of the model that the adapter was trained on." };
        var adapter = new Argument<string>("ADAPTER") { Description = "Folder with adapter_config.json and adapter_model.safetensors: a checkpoint of a run with learning.lora, or one of PEFT's." };
        var into = new Option<string>("--out") { Description = "Folder to write the merged model to.", HelpName = "FOLDER", Required = true };
        var dtype = new Option<ComputeType>("--dtype") { Description = "Type of the merged weights: float32 (default) or bfloat16." };
        var command = new Command("merge", "Adds a LoRA adapter to a model's weights and writes a model folder in Hugging Face layout.") { model, adapter, into, dtype };
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(model), parsed.GetRequiredValue(adapter), parsed.GetRequiredValue(into), parsed.GetValue(dtype), parsed.InvocationConfiguration.Output));
        return command;
    }

    private static int Run(string folder, string adapter, string into, ComputeType type, TextWriter output)
    {
        if (Path.Exists(into))
        {
            throw new UserErrorException($"--out {into}: exists; name a folder that does not.");
        }

        string model = ModelFolder.Resolve(folder);
        MergedModel.Write(model, adapter, into, type.Scalar());
        output.WriteLine($"{into}: {model} with {adapter}");
        return ExitCodes.Success;
    }
}
