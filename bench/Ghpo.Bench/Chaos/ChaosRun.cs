using System.Collections.Immutable;
using System.Diagnostics;

namespace Ghpo.Bench.Chaos;

/// <summary>A session that was killed.</summary>
/// <param name="Aim">Where the kill was aimed.</param>
/// <param name="Landing">What it hit.</param>
/// <param name="Lived">From the session's start to the kill.</param>
/// <param name="Recovery">From the session's start to its epoch in the journal; null: it was killed before that.</param>
internal sealed record KilledSession(string Aim, Landing Landing, TimeSpan Lived, TimeSpan? Recovery);

/// <summary>How a run went on its way to its end.</summary>
/// <param name="WallTime">Sum over all sessions, from each one's start to its end.</param>
/// <param name="LastSession">Wall time of the session that ended by itself.</param>
/// <param name="LastRecovery">From that session's start to its epoch in the journal.</param>
internal sealed record ChaosResult(ImmutableArray<KilledSession> Killed, TimeSpan WallTime, TimeSpan LastSession, TimeSpan LastRecovery);

/// <summary>
/// A run of <c>ghpo train</c> that is killed with SIGKILL again and again, each session at an instant of its own, and resumed each time until it
/// is complete.
/// </summary>
/// <param name="folder">The run's folder; must not exist.</param>
/// <param name="arguments">Settings for <c>ghpo train</c>.</param>
internal sealed class ChaosRun(string folder, IReadOnlyList<string> arguments, int steps, int groups)
{
    /// <summary>A session whose aim never comes is let run to its end; one that does neither hangs.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <param name="aims">One for each session that is to be killed; the one after the last is left alone. A session may end before its aim.</param>
    /// <param name="report">Told of each kill.</param>
    /// <exception cref="InvalidOperationException">A session ended by itself with an error, that is not due to a kill.</exception>
    /// <exception cref="TimeoutException">A session hangs.</exception>
    public async Task<ChaosResult> CompleteAsync(IEnumerable<KillAim> aims, Action<KilledSession> report)
    {
        var killed = ImmutableArray.CreateBuilder<KilledSession>();
        TimeSpan total = TimeSpan.Zero;
        foreach (KillAim? aim in ThenNone(aims))
        {
            Session session = await SessionAsync(aim);
            total += session.Lived;
            if (session.Landing is not { } landing)
            {
                return new ChaosResult(killed.ToImmutable(), total, session.Lived, session.Recovery ?? session.Lived);
            }

            killed.Add(new KilledSession(aim!.ToString()!, landing, session.Lived, session.Recovery));
            report(killed[^1]);
        }

        throw new InvalidOperationException("The session that nobody killed did not end.");
    }

    private static IEnumerable<KillAim?> ThenNone(IEnumerable<KillAim> aims)
    {
        foreach (KillAim aim in aims)
        {
            yield return aim;
        }

        yield return null;
    }

    private async Task<Session> SessionAsync(KillAim? aim)
    {
        var tables = new JournalTables(Path.Combine(folder, "journal.db"));
        int epochs = tables.Rows("es-v1");
        bool begun = File.Exists(Path.Combine(folder, "run.conf"));
        using var over = new CancellationTokenSource();
        long start = Stopwatch.GetTimestamp();
        using GhpoProcess process = begun ? GhpoProcess.Start("resume", folder, "--plain") : GhpoProcess.Start([.. arguments]);
        Task reached = aim?.ReachedAsync(folder, over.Token) ?? Task.Delay(Timeout.Infinite, over.Token);
        Task<TimeSpan?> recovery = RecoveryAsync(tables, epochs, start, over.Token);
        Task first = await Task.WhenAny(reached, process.Ended).WaitAsync(Patience);
        bool killed = first == reached;
        if (killed)
        {
            await reached;
            process.Kill();
        }

        await process.Ended;
        TimeSpan lived = Stopwatch.GetElapsedTime(start);
        await over.CancelAsync();
        if (!killed && process.ExitCode != 0)
        {
            throw new InvalidOperationException($"A session ended with exit code {process.ExitCode}. It printed:\n{process.Printed}");
        }

        return new Session(killed ? Landings.Of(folder, epochs, groups, steps) : null, lived, await recovery);
    }

    private static async Task<TimeSpan?> RecoveryAsync(JournalTables tables, int epochs, long start, CancellationToken over)
    {
        try
        {
            do
            {
                await tables.WrittenAsync(TimeSpan.FromMilliseconds(10), over);
            }
            while (tables.Rows("es-v1") <= epochs);
            return Stopwatch.GetElapsedTime(start);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private readonly record struct Session(Landing? Landing, TimeSpan Lived, TimeSpan? Recovery);
}
