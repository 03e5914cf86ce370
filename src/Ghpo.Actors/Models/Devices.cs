using System.Globalization;
using Ghpo.Configuration;
using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>Devices by the names that settings give them.</summary>
public static class Devices
{
    /// <summary>Parses cpu, cuda or cuda:N.</summary>
    /// <exception cref="UserErrorException">The name is unknown, or the device is not there.</exception>
    public static Device Parse(string name)
    {
        if (name == "cpu")
        {
            return CPU;
        }

        int index = 0;
        if (name != "cuda" && !(name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out index)))
        {
            throw new UserErrorException($"Device \"{name}\" is unknown; known are cpu, cuda and cuda:N.");
        }

        if (!cuda.is_available())
        {
            throw new UserErrorException(
                $"Device \"{name}\" is not available: this is a CPU build, or the machine has no CUDA device. Build with -p:TorchBackend=cuda, or set model.device = cpu.");
        }

        return index < cuda.device_count()
            ? new Device(TorchSharp.DeviceType.CUDA, index)
            : throw new UserErrorException($"Device \"{name}\" is not available: this machine has {cuda.device_count()} CUDA devices, counted from 0.");
    }
}
