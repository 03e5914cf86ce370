using Ghpo.Configuration;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>A model with a LoRA adapter added to its weights.</summary>
public static class MergedModel
{
    /// <summary>Writes it in Hugging Face layout.</summary>
    /// <param name="model">Folder of the model that the adapter was trained on.</param>
    /// <param name="adapter">Folder in PEFT's layout.</param>
    /// <param name="into">Folder to write to; what is in it is overwritten.</param>
    /// <param name="dtype">Type of the sum and of the weights that are written.</param>
    /// <exception cref="UserErrorException">A folder or a file in it is missing or wrong, or the adapter is another model's.</exception>
    public static void Write(string model, string adapter, string into, ScalarType dtype)
    {
        using LoadedModel loaded = ModelFolder.Load(model, CPU, dtype);
        using (LoraAdapters lora = LoraAdapters.Load(loaded.Decoder, adapter))
        {
            Dictionary<string, Tensor> merged = lora.Merged();
            loaded.Decoder.CopyFrom(merged, adapter);
            foreach (Tensor tensor in merged.Values)
            {
                tensor.Dispose();
            }
        }

        ModelFolder.Save(into, loaded);
    }
}
