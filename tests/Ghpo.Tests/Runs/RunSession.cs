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

    private RunSession(RunContext run, TimeProvider? watch)
    {
        string path = Path.Combine(run.Folder, "journal.db");
        _journal = SqlJournal.Hold(run.Settings.Journal, path);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddAkka(GhpoNode.SystemName, akka => Watched(akka
            .AddHocon("akka.loglevel = OFF\nakka.stdout-loglevel = OFF", HoconAddMode.Prepend)
            .StartActors((system, _) =>
            {
                IActorRef listener = system.ActorOf(Props.Create(() => new Listener(this)), "listener");
                system.EventStream.Subscribe(listener, typeof(RunEvents.RunEnded));
                system.EventStream.Subscribe(listener, typeof(RunEvents.StepCompleted));
                system.EventStream.Subscribe(listener, typeof(RunEvents.Stalled));
            })
            .WithGhpoRun(run, path), watch));
        _host = builder.Build();
    }

    /// <summary>Reports of this session's steps, as they were announced.</summary>
    public ConcurrentQueue<StepReport> Steps { get; } = [];

    /// <summary>What its watch has told of stalls.</summary>
    public ConcurrentQueue<RunEvents.Stalled> Stalls { get; } = [];

    public ActorSystem System => _host.Services.GetRequiredService<ActorSystem>();

    /// <summary>Where others can join it.</summary>
    public Address Address => ((ExtendedActorSystem)System).Provider.DefaultAddress;

    public IActorRef Run => _host.Services.GetRequiredService<IRequiredActor<RunActor>>().ActorRef;

    public IActorRef Watch => _host.Services.GetRequiredService<IRequiredActor<RunWatchActor>>().ActorRef;

    public Task<RunEvents.RunEnded> Ended => _ended.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);

    /// <param name="watch">The clock of a watch beside the run; null: none watches.</param>
    public static async Task<RunSession> Start(RunContext run, TimeProvider? watch = null)
    {
        var session = new RunSession(run, watch);
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
    public void StopRun() => Run.Tell(new RunProtocol.StopRun());

    /// <summary>Nothing is handed over, finished or said good-bye to: every actor is stopped where it stands.</summary>
    public async ValueTask DisposeAsync()
    {
        var system = (ExtendedActorSystem)System;
        system.Abort();
        await system.WhenTerminated.WaitAsync(Patience);
        _host.Dispose();
        _journal.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }

    private static void Watched(AkkaConfigurationBuilder akka, TimeProvider? watch)
    {
        if (watch is not null)
        {
            akka.WithRunWatch(watch);
        }
    }

    private sealed class Listener : ReceiveActor
    {
        public Listener(RunSession session)
        {
            Receive<RunEvents.RunEnded>(ended => session._ended.TrySetResult(ended));
            Receive<RunEvents.StepCompleted>(completed => session.Steps.Enqueue(completed.Report));
            Receive<RunEvents.Stalled>(session.Stalls.Enqueue);
        }
    }
}
