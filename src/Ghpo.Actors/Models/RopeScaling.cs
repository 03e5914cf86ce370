using System.Text.Json.Nodes;

namespace Ghpo.Models;

/// <summary>
/// Llama 3's stretch of the rotary frequencies. With the wavelength λ = 2π/f of a frequency f and N the context of the pretraining:
/// <code>
/// λ > N/low              f / factor
/// λ &lt; N/high             f
/// between                (1 − s)·f/factor + s·f,   s = (N/λ − low) / (high − low)
/// </code>
/// Source: rope_type llama3 of Hugging Face's configurations.
/// </summary>
/// <param name="OriginalPositions">N, original_max_position_embeddings.</param>
public sealed record RopeScaling(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalPositions)
{
    private const string Llama3 = "llama3";

    public double Apply(double frequency)
    {
        double wavelength = 2 * Math.PI / frequency;
        if (wavelength > OriginalPositions / LowFrequencyFactor)
        {
            return frequency / Factor;
        }

        if (wavelength < OriginalPositions / HighFrequencyFactor)
        {
            return frequency;
        }

        double smooth = (OriginalPositions / wavelength - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor);
        return (1 - smooth) * frequency / Factor + smooth * frequency;
    }

    /// <summary>Reads rope_scaling, or rope_parameters where newer files keep it.</summary>
    /// <exception cref="Configuration.UserErrorException">The type is another, or a parameter is missing or does not make sense.</exception>
    internal static RopeScaling? Read(JsonConfig json)
    {
        foreach (string key in new[] { "rope_scaling", "rope_parameters" })
        {
            if (json.Section(key) is not { } rope)
            {
                continue;
            }

            // Old files call it "type".
            string nameKey = rope.Has("rope_type") ? "rope_type" : "type";
            string name = rope.String(nameKey, "default");
            if (name == "default")
            {
                continue;
            }

            if (name != Llama3)
            {
                throw rope.Unsupported(nameKey, $"\"{name}\"", $"default and {Llama3}");
            }

            var scaling = new RopeScaling(
                rope.Number("factor"), rope.Number("low_freq_factor"), rope.Number("high_freq_factor"), rope.Positive("original_max_position_embeddings"));
            return scaling.HighFrequencyFactor > scaling.LowFrequencyFactor
                ? scaling
                : throw rope.Unsupported("high_freq_factor", $"{scaling.HighFrequencyFactor}", $"more than low_freq_factor ({scaling.LowFrequencyFactor})");
        }

        return null;
    }

    internal JsonObject ToJson() => new()
    {
        ["rope_type"] = Llama3,
        ["factor"] = Factor,
        ["low_freq_factor"] = LowFrequencyFactor,
        ["high_freq_factor"] = HighFrequencyFactor,
        ["original_max_position_embeddings"] = OriginalPositions,
    };
}
