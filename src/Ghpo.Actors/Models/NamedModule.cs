using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>
/// A module that holds what is registered by name and nothing else. TorchSharp would also register every field under the field's name, and
/// state_dict would then list each weight twice.
/// </summary>
public abstract class NamedModule(string name) : nn.Module(name)
{
    protected sealed override void RegisterComponents()
    {
    }
}
