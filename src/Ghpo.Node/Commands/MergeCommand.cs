using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Models;
using static TorchSharp.torch;

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

        ScalarType dtype = type == ComputeType.Bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
        using LoadedModel model = ModelFolder.Load(ModelFolder.Resolve(folder), CPU, dtype);
        using (LoraAdapters lora = LoraAdapters.Load(model.Decoder, adapter))
        {
            Dictionary<string, Tensor> merged = lora.Merged();
            model.Decoder.CopyFrom(merged, adapter);
            foreach (Tensor tensor in merged.Values)
            {
                tensor.Dispose();
            }
        }

        ModelFolder.Save(into, model);
        output.WriteLine($"{into}: {model.Folder} with {adapter}");
        return ExitCodes.Success;
    }
}
