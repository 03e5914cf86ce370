using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Hosting;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Journal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Ghpo.Tests.Runs;

/// <summary>A process's part of a run: the production wiring in a host of its own, from its start to the run's end or a kill.</summary>
internal sealed class RunSession : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    private readonly TaskCompletionSource<RunEvents.RunEnded> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IDisposable _journal;
    private readonly IHost _host;

    private RunSession(RunContext run)
    {
        string path = Path.Combine(run.Folder, "journal.db");
        _journal = SqlJournal.Hold(run.Settings.Journal, path);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddAkka(GhpoNode.SystemName, akka => akka
            .AddHocon("akka.loglevel = OFF\nakka.stdout-loglevel = OFF", HoconAddMode.Prepend)
            .StartActors((system, _) =>
            {
                IActorRef listener = system.ActorOf(Props.Create(() => new Listener(this)), "listener");
                system.EventStream.Subscribe(listener, typeof(RunEvents.RunEnded));
                system.EventStream.Subscribe(listener, typeof(RunEvents.StepCompleted));
            })
            .WithGhpoRun(run, path));
        _host = builder.Build();
    }

    /// <summary>Reports of this session's steps, as they were announced.</summary>
    public ConcurrentQueue<StepReport> Steps { get; } = [];

    /// <summary>Where others can join it.</summary>
    public Address Address => ((ExtendedActorSystem)_host.Services.GetRequiredService<ActorSystem>()).Provider.DefaultAddress;

    public Task<RunEvents.RunEnded> Ended => _ended.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);

    public static async Task<RunSession> Start(RunContext run)
    {
        var session = new RunSession(run);
        await session._host.StartAsync(TestContext.Current.CancellationToken);
        return session;
    }

    /// <summary>From the start, or from where the folder's journal stands, to the end.</summary>
    public static async Task<RunEvents.RunEnded> Complete(RunContext run)
    {
        await using RunSession session = await Start(run);
        return await session.Ended;
    }

    /// <summary>As a Ctrl-C asks.</summary>
    public void StopRun() => _host.Services.GetRequiredService<IRequiredActor<RunActor>>().ActorRef.Tell(new RunProtocol.StopRun());

    /// <summary>Nothing is handed over, finished or said good-bye to: every actor is stopped where it stands.</summary>
    public async ValueTask DisposeAsync()
    {
        var system = (ExtendedActorSystem)_host.Services.GetRequiredService<ActorSystem>();
        system.Abort();
        await system.WhenTerminated.WaitAsync(Patience);
        _host.Dispose();
        _journal.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }

    private sealed class Listener : ReceiveActor
    {
        public Listener(RunSession session)
        {
            Receive<RunEvents.RunEnded>(ended => session._ended.TrySetResult(ended));
            Receive<RunEvents.StepCompleted>(completed => session.Steps.Enqueue(completed.Report));
        }
    }
}
