using System.Collections.Immutable;
using System.Diagnostics;
using Akka.Actor;
using Akka.Hosting;
using Ghpo.Configuration;
using Ghpo.Curriculum;
using Ghpo.Hints;
using Ghpo.Journal;
using Ghpo.Learning;
using Ghpo.Policy;
using Ghpo.Problems;
using Ghpo.Rollout;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using static Ghpo.Curriculum.CurriculumProtocol;
using static Ghpo.Hints.HintProtocol;
using static Ghpo.Learning.LearnerProtocol;

namespace Ghpo.Bench;

/// <summary>
/// The three persistent actors on a real journal, and nothing else: a loop settles made-up groups of a given size, and learning takes no time. What a step
/// takes here is what the journal takes, snapshots at checkpoints included.
/// </summary>
internal sealed class JournalDriver : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly IHost _host;
    private readonly IDisposable _hold;
    private readonly IActorRef _curriculum;
    private readonly IActorRef _hints;
    private readonly IActorRef _learner;

    private JournalDriver(IHost host, IDisposable hold, GhpoSettings settings, string folder)
    {
        _host = host;
        _hold = hold;
        var system = host.Services.GetRequiredService<ActorSystem>();
        ImmutableArray<ProblemId> problems = [.. Enumerable.Range(0, settings.Data.Arithmetic.Problems).Select(index => new ProblemId($"arithmetic-{index}"))];
        _curriculum = system.ActorOf(CurriculumActor.Props(settings.Curriculum, settings.Run.Seed, problems));
        _hints = system.ActorOf(HintScheduleActor.Props(settings.Hints, settings.Rollout.Staleness));
        IActorRef trainer = system.ActorOf(TrainerActor.Props(() => new IdleTrainer(), policy => policy.Dispose(), () => { }));
        _learner = system.ActorOf(LearnerActor.Props(new ControlledSettings(settings, [], folder), _curriculum, _hints, trainer, TimeProvider.System));
    }

    /// <summary>From the actors' start to their last answer: all three have recovered.</summary>
    public TimeSpan Recovery { get; private set; }

    public static async Task<JournalDriver> StartAsync(GhpoSettings settings, string folder)
    {
        string file = Path.Combine(folder, "journal.db");
        IDisposable hold = SqlJournal.Hold(settings.Journal, file);
        IHost host = new HostBuilder().ConfigureServices(services => services.AddAkka("journal", akka => akka
            .WithSqlJournal(settings.Journal, file)
            .AddHocon("akka.loglevel = WARNING\nakka.stdout-loglevel = WARNING", HoconAddMode.Prepend))).Build();
        await host.StartAsync();
        long start = Stopwatch.GetTimestamp();
        var driver = new JournalDriver(host, hold, settings, folder);
        await driver._curriculum.Ask<CurriculumView>(new GetCurriculum(), Patience);
        await driver._hints.Ask<HintView>(new GetHints(), Patience);
        await driver._learner.Ask<LearnerView>(new GetLearner(), Patience);
        driver.Recovery = Stopwatch.GetElapsedTime(start);
        return driver;
    }

    /// <summary>Takes the steps from the first open one to before <paramref name="end"/>.</summary>
    public async Task TakeStepsAsync(int end, Func<GroupId, ProblemId, PolicyVersion, long, SettledGroup> sample)
    {
        int first = (await _learner.Ask<LearnerView>(new GetLearner(), Patience)).Step;
        for (int step = first; step < end; step++)
        {
            StepOpened opened = await _learner.Ask<StepOpened>(new OpenStep(step), Patience);
            StepPlan plan = await _curriculum.Ask<StepPlan>(new PlanStep(step), Patience);
            await _hints.Ask<GroupsOpened>(new OpenGroups(plan.Groups), Patience);
            await Task.WhenAll(plan.Groups.Select(planned => _learner.Ask<GroupAccepted>(
                new SettleGroup(sample(planned.Group, planned.Problem, opened.Version, opened.Epoch), "rollout-0"), Patience)));
        }

        // The step is committed when the next one opens.
        await _learner.Ask<object>(new OpenStep(end), Patience);
    }

    /// <summary>As a kill: nothing is said good-bye to.</summary>
    public async ValueTask DisposeAsync()
    {
        var system = (ExtendedActorSystem)_host.Services.GetRequiredService<ActorSystem>();
        system.Abort();
        await system.WhenTerminated;
        _host.Dispose();
        _hold.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }

    private sealed class IdleTrainer : IPolicyTrainer
    {
        private static readonly StepMetrics Metrics = new(0.1, 5e-5, 0.5, 0.7, 0, 0, 0.5, 20_000, 40_000, 1.5);

        public PolicyVersion Version { get; private set; }

        public void Use(LearningSettings learning, int totalSteps)
        {
        }

        public StepMetrics Train(IReadOnlyList<SettledGroup> groups)
        {
            Version = new PolicyVersion(Version.Value + 1);
            return Metrics;
        }

        public PolicySnapshot TakeSnapshot(long epoch) =>
            new(epoch, Version, Version.Value.ToString("x64", null), ImmutableDictionary<string, TorchSharp.torch.Tensor>.Empty);

        public string SaveCheckpoint(string folder)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "version"), $"{Version.Value}");
            return Version.Value.ToString("x64", null);
        }

        public void LoadCheckpoint(string folder) => Version = new PolicyVersion(int.Parse(File.ReadAllText(Path.Combine(folder, "version")), null));

        public EvaluationResult Evaluate() => new(Version, []);

        public void Dispose()
        {
        }
    }
}
