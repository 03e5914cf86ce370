using System.Collections.Concurrent;
using System.Diagnostics;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Learning;
using Ghpo.Observability;

namespace Ghpo.Dispatch;

/// <summary>
/// A trace for each group, from its first prompt to its place in the learner's journal:
/// <code>
/// group ─┬─ rollout (in the worker, wherever it is) ─ verify ─ classify     once for each hint level
///        └─ settle
/// </code>
/// Thread-safe. Empty while nobody listens.
/// </summary>
internal sealed class GroupTraces : IDisposable
{
    private readonly ConcurrentDictionary<GroupId, Activity> _open = new();

    /// <summary>A group enters the pipeline, or enters it again for a hint.</summary>
    public void Enter(GroupAttempt attempt)
    {
        if (!_open.ContainsKey(attempt.Group) && GhpoTraces.Begin("group", parent: null) is { } span)
        {
            _open[attempt.Group] = span
                .SetTag("ghpo.group", attempt.Group.ToString()).SetTag("ghpo.step", attempt.Group.Step).SetTag("ghpo.problem", attempt.Problem.Value);
        }
    }

    /// <summary>What spans of other places name as their parent; null: there is no trace.</summary>
    public string? Of(GroupId group) => _open.GetValueOrDefault(group)?.Id;

    /// <summary>The work of a stage on a group, as a span.</summary>
    public async Task<T> During<T>(string name, GroupId group, int attempt, Task<T> work)
    {
        using Activity? span = Of(group) is { } parent ? GhpoTraces.Begin(name, parent)?.SetTag("ghpo.attempt", attempt) : null;
        try
        {
            return await work.ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            span?.SetStatus(ActivityStatusCode.Error, failure.Message);
            throw;
        }
    }

    public void Settled(SettledGroup group)
    {
        if (_open.TryRemove(group.Group, out Activity? span))
        {
            span.SetTag("ghpo.settlement", Configuration.SettingsSchema.Kebab(group.Settlement.ToString()))
                .SetTag("ghpo.hint.ratio", group.HintRatio)
                .SetTag("ghpo.policy.version", group.Version.Value)
                .End();
        }
    }

    /// <summary>Groups that have not settled are given up; they are sampled again, under another trace.</summary>
    public void Dispose()
    {
        foreach (GroupId group in _open.Keys)
        {
            if (_open.TryRemove(group, out Activity? span))
            {
                span.SetStatus(ActivityStatusCode.Error, "the pipeline ended before the group had settled").End();
            }
        }
    }
}
