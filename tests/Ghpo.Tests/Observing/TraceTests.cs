using System.Diagnostics;
using Akka.Actor;
using Akka.Hosting;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Inspection;
using Ghpo.Node.Runs;
using Ghpo.Observability;
using Ghpo.Tests.Runs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Xunit;

namespace Ghpo.Tests.Observing;

public sealed class TraceTests
{
    private const string Worker = "traced-worker";

    [Fact]
    public async Task A_worker_s_rollouts_on_another_node_are_children_of_the_learner_s_span_of_their_group()
    {
        var spans = new List<Activity>();
        using TracerProvider tracer = Sdk.CreateTracerProviderBuilder().AddSource(GhpoTraces.Name).AddInMemoryExporter(spans).Build();
        using var tiny = new TinyRun();
        string folder = tiny.NewFolder();
        GhpoSettings settings = tiny.Settings("run.steps=1", "cluster.enabled=true", "rollout.workers=0");
        using ClusterEnd learner = ClusterEnd.Open(settings.Cluster, Path.Combine(folder, "plane"), kept: 2, NullLoggerFactory.Instance);
        (RunContext run, _) = TinyRun.Create(folder, settings);
        await using RunSession session = await RunSession.Start(run with { Cluster = new ClusterSide(run.Setup, learner.Plane, null, Engine: null) });

        GhpoSettings own = tiny.Settings($"cluster.join=[\"{session.Address.Host}:{session.Address.Port}\"]");
        using ClusterEnd end = ClusterEnd.Open(own.Cluster, Path.Combine(folder, "node-plane"), kept: 2, NullLoggerFactory.Instance);
        using IHost node = Node(new NodeContext(Worker, own, end.Plane, folder, null));
        await node.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal(RunOutcome.Completed, (await session.Ended).Outcome);
        await Abort(node);

        Assert.True(tracer.ForceFlush());
        Activity[] all = [.. spans];
        Activity[] rollouts = [.. all.Where(span => span.OperationName == "rollout" && Worker.Equals(span.GetTagItem("ghpo.worker")))];
        Assert.Equal(5, rollouts.Where(span => 0.Equals(span.GetTagItem("ghpo.attempt"))).Select(span => span.TraceId).Distinct().Count());
        Assert.All(rollouts, span =>
        {
            Activity group = Assert.Single(all, parent => parent.SpanId == span.ParentSpanId);
            Assert.Equal(("group", span.TraceId, default), (group.OperationName, group.TraceId, group.ParentSpanId));
            Assert.True(span.HasRemoteParent);
            Assert.Equal(0, group.GetTagItem("ghpo.step"));
            Assert.NotNull(group.GetTagItem("ghpo.settlement"));
            Assert.True(group.StartTimeUtc <= span.StartTimeUtc && group.Duration >= span.Duration);
            Assert.Equal(
                ["classify", "rollout", "settle", "verify"],
                all.Where(child => child.ParentSpanId == group.SpanId).Select(child => child.OperationName).Distinct().Order());
        });
    }

    private static IHost Node(NodeContext node)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddAkka(GhpoNode.SystemName, akka => akka
            .AddHocon("akka.loglevel = OFF\nakka.stdout-loglevel = OFF", HoconAddMode.Prepend)
            .WithGhpoNode(node, new TaskCompletionSource<NodeEnd>()));
        return builder.Build();
    }

    private static async Task Abort(IHost node)
    {
        var system = (ExtendedActorSystem)node.Services.GetRequiredService<ActorSystem>();
        system.Abort();
        await system.WhenTerminated;
    }
}
