using Ghpo.Configuration;

namespace Ghpo.Verification;

/// <summary>
/// A user's reward behind a wall: it may throw, return NaN or never return, and its caller gets a score or the reason why there is none, in bounded time.
/// A call that does not return keeps its thread; of these there are never more than <see cref="MaxAbandoned"/>, after that the reward is not called again.
/// </summary>
public sealed class IsolatedReward
{
    public const int MaxAbandoned = 4;

    private readonly IAnswerReward _reward;
    private readonly TimeSpan _timeout;
    private int _abandoned;

    public IsolatedReward(IAnswerReward reward, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(reward);
        _reward = reward;
        _timeout = timeout;
    }

    /// <returns>Null if none is set.</returns>
    /// <exception cref="UserErrorException">There is no such type, or it is no reward that can be made.</exception>
    public static IsolatedReward? Load(OwnRewardSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Type.Length == 0)
        {
            return null;
        }

        Type type = Type.GetType(settings.Type, throwOnError: false)
            ?? throw new UserErrorException($"ghpo.rewards.own.type = {settings.Type}: no such type; write 'Namespace.Type, Assembly' with the assembly beside ghpo");
        if (!typeof(IAnswerReward).IsAssignableFrom(type) || type.GetConstructor([]) is null)
        {
            throw new UserErrorException($"ghpo.rewards.own.type = {settings.Type}: must implement {nameof(IAnswerReward)} and have a public constructor without parameters");
        }

        return new IsolatedReward((IAnswerReward)Activator.CreateInstance(type)!, settings.Timeout);
    }

    /// <returns>The score, or why there is none.</returns>
    public (double Score, string? Failure) Score(AnsweredProblem answer)
    {
        string name = _reward.GetType().Name;
        if (Volatile.Read(ref _abandoned) >= MaxAbandoned)
        {
            return (0, $"{name} is not called any more: {MaxAbandoned} calls have not returned");
        }

        // A thread of its own: one that hangs must not take a thread from the pool that everything else runs on.
        double score = double.NaN;
        string? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                score = _reward.Score(answer);
            }
#pragma warning disable CA1031 // Whatever a user's reward throws is reported as its failure.
            catch (Exception error)
#pragma warning restore CA1031
            {
                failure = $"{name} threw {error.GetType().Name}: {error.Message}";
            }
        })
        {
            IsBackground = true,
            Name = $"reward {name}",
        };
        thread.Start();
        if (!thread.Join(_timeout))
        {
            Interlocked.Increment(ref _abandoned);
            return (0, $"{name} took longer than {_timeout.TotalMilliseconds:F0} ms");
        }

        return failure is not null ? (0, failure) : double.IsFinite(score) ? (score, null) : (0, $"{name} returned {score}");
    }
}
