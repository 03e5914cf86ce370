using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Learning;
using Ghpo.Node.Journaling;

namespace Ghpo.Node.Runs;

/// <summary>The settings of a run that goes on: as it was started, what its journal says was changed since, and what is to be changed now.</summary>
internal sealed record RunControls(ControlTimeline Journalled, ImmutableArray<ControlRequest> Requests, GhpoSettings InForce)
{
    /// <summary>Checks what a user wants to change. What is in force already is no change.</summary>
    /// <param name="by">The user.</param>
    /// <exception cref="UserErrorException">A setting is unknown, cannot change within a run, or does not fit the others.</exception>
    public static RunControls Of(RunJournal run, IEnumerable<SettingOverride> changes, string by, DateTimeOffset at)
    {
        GhpoSettings inForce = run.Settings;
        var requests = ImmutableArray.CreateBuilder<ControlRequest>();
        foreach (SettingOverride change in changes)
        {
            GhpoSettings changed = LiveSettings.With(inForce, change);
            string value = LiveSettings.ValueOf(changed, change.FullPath);
            if (value != LiveSettings.ValueOf(inForce, change.FullPath))
            {
                requests.Add(new ControlRequest(change.FullPath, value, by, at));
            }

            inForce = changed;
        }

        return new RunControls(run.Timeline, requests.ToImmutable(), inForce);
    }
}
