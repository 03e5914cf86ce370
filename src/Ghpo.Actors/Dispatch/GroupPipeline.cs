using Akka;
using Akka.Streams;
using Akka.Streams.Dsl;
using Ghpo.Difficulty;
using Ghpo.Hints;
using Ghpo.Rollout;
using Ghpo.Verification;

namespace Ghpo.Dispatch;

/// <summary>
/// The one place where the stages are joined:
/// <code>
/// planned ─▶ admission ─▶ prompt ─▶ rollout ─▶ verify ─▶ classify ─▶ settled ─▶ learner's journal ─┐
///              ▲   ▲                                        │ hard, next ω                         │ permit
///              │   └────────────────────────────────────────┘                                      │
///              └───────────────────────────────────────────────────────────────────────────────────┘
/// </code>
/// Demand moves work: a learner that does not acknowledge stops delivery, which stops the classifier, the verifiers, the workers and the
/// admission of fresh groups, in this order. Rollout is the dispatcher's: it takes
/// whatever has a permit and gives it to workers as they ask. Every other stage holds at most as many groups as its parallelism; all together at most the permits.
/// </summary>
internal sealed class GroupPipeline(PipelineStages stages, PipelineGauges gauges, int permits)
{
    public IRunnableGraph<Task<Done>> Create(Source<GroupAttempt, NotUsed> planned) => RunnableGraph.FromGraph(
        GraphDsl.Create(Sink.Ignore<Settled>().MapMaterializedValue(done => done), (builder, end) =>
        {
            AdmissionShape admission = builder.Add(new GroupAdmission(permits, gauges.Escalated));
            UniformFanOutShape<Classified, Classified> bySettlement = builder.Add(
                new Partition<Classified>(2, classified => classified is Settled ? 0 : 1));
            UniformFanOutShape<Settled, Settled> delivered = builder.Add(new Broadcast<Settled>(2));

            SourceShape<GroupAttempt> source = builder.Add(planned);
            builder.From(source).To(admission.Fresh);
            builder.From(admission.Out)
                .Via(Flow.Create<GroupAttempt>().Select(stages.Prompt))
                .Via(Stage<PromptedGroup, RolloutGroup>(gauges.Rollout, permits, stages.Sample))
                .Via(Stage<RolloutGroup, VerifiedGroup>(gauges.Verification, stages.VerifierParallelism, stages.Verify))
                .Via(Stage<VerifiedGroup, Classified>(gauges.Classification, stages.ClassifierParallelism, stages.Classify))
                .To(bySettlement.In);
            builder.From(bySettlement.Out(0))
                .Via(Flow.Create<Classified>().Select(classified => (Settled)classified))
                .Via(Stage<Settled, Settled>(gauges.Delivery, stages.DeliveryParallelism, stages.Deliver))
                .To(delivered.In);
            builder.From(bySettlement.Out(1))
                .Via(Flow.Create<Classified>().Select(classified => ((Escalated)classified).Next))
                .To(admission.Escalated);
            builder.From(delivered.Out(0)).To(admission.Released);
            builder.From(delivered.Out(1)).To(end);
            return ClosedShape.Instance;
        }));

    private static Flow<TIn, TOut, NotUsed> Stage<TIn, TOut>(StageGauge gauge, int parallelism, Func<TIn, Task<TOut>> work) =>
        Flow.Create<TIn>()
            .Select(gauge.Entered)
            .SelectAsyncUnordered(parallelism, gauge.Counted(work))
            .Select(gauge.Left);
}

/// <summary>What the pipeline calls at each stage. Functions, so that the graph can be run without a model.</summary>
internal sealed record PipelineStages(
    Func<GroupAttempt, PromptedGroup> Prompt,
    Func<PromptedGroup, Task<RolloutGroup>> Sample,
    int VerifierParallelism,
    Func<RolloutGroup, Task<VerifiedGroup>> Verify,
    int ClassifierParallelism,
    Func<VerifiedGroup, Task<Classified>> Classify,
    int DeliveryParallelism,
    Func<Settled, Task<Settled>> Deliver);
