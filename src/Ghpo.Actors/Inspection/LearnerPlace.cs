using System.Net;
using Ghpo.Security;

namespace Ghpo.Inspection;

/// <summary>Where to ask what only the learner can answer, in words for somebody who asked a node.</summary>
internal static class LearnerPlace
{
    /// <param name="host">The learner's, as nodes reach it.</param>
    /// <param name="inspection">HOST:PORT that it can be looked into at, as it said; "": nowhere; null: it has not said yet.</param>
    /// <param name="asked">The verb and its arguments.</param>
    public static string Sentence(string host, string? inspection, string asked)
    {
        if (string.IsNullOrEmpty(inspection))
        {
            return inspection is null
                ? "it has not said yet where it can be asked; the run's first lines do, and inspection.json in its folder"
                : "nobody can look into it (ghpo.inspection.enabled = false there, or no port could be opened)";
        }

        int colon = inspection.LastIndexOf(':');
        string at = inspection[..colon].Trim('[', ']');
        return IPAddress.TryParse(at, out IPAddress? address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            ? $"ask there, as in `ghpo pbm {host}{inspection[colon..]} {asked}`"
            : ListenRule.IsLoopback(at) && !ListenRule.IsLoopback(host)
                ? $"ask on its machine, as in `ghpo pbm {inspection} {asked}` (it can be looked into from there alone, ghpo.inspection.host)"
                : $"ask there, as in `ghpo pbm {inspection} {asked}`";
    }
}
