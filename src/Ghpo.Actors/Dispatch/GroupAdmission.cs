using System.Collections.Immutable;
using Akka.Streams;
using Akka.Streams.Stage;
using Ghpo.Difficulty;
using Ghpo.Hints;

namespace Ghpo.Dispatch;

/// <summary>
/// The head of the pipeline, and the place where its feedback loop is made safe.
/// <para>
/// A fresh group takes one of <c>permits</c> when it enters and gives it back when it has settled; a group that comes back for a higher
/// hint keeps its permit. So at most <c>permits</c> groups are between this stage and the end, and at most that many can wait here to
/// be sampled again. The two inlets of the loop (<see cref="AdmissionShape.Escalated"/>, <see cref="AdmissionShape.Released"/>) are
/// therefore always pulled: nothing in the loop ever waits for this stage, and no cycle of waiting can form however slow a stage is.
/// Escalated groups leave before fresh ones, so a step's stragglers are not held up by its successors.
/// </para>
/// <para>Completes when the fresh inlet has completed and all permits are back. Fails with any of its inlets.</para>
/// </summary>
internal sealed class GroupAdmission(int permits, StageGauge waiting) : GraphStage<AdmissionShape>
{
    public override AdmissionShape Shape { get; } = new(
        new Inlet<GroupAttempt>("admission.fresh"),
        new Inlet<GroupAttempt>("admission.escalated"),
        new Inlet<Settled>("admission.released"),
        new Outlet<GroupAttempt>("admission.out"));

    protected override GraphStageLogic CreateLogic(Attributes inheritedAttributes) => new Logic(Shape, permits, waiting);

    private sealed class Logic : GraphStageLogic
    {
        private readonly AdmissionShape _shape;
        private readonly int _permits;
        private readonly StageGauge _waiting;
        private readonly Queue<GroupAttempt> _escalated = new();
        private int _inFlight;

        public Logic(AdmissionShape shape, int permits, StageGauge waiting)
            : base(shape)
        {
            _shape = shape;
            _permits = permits;
            _waiting = waiting;
            SetHandler(shape.Fresh, onPush: Forward, onUpstreamFinish: CompleteIfDrained);
            SetHandler(shape.Escalated, onPush: TakeBack, onUpstreamFinish: static () => { });
            SetHandler(shape.Released, onPush: Release, onUpstreamFinish: static () => { });
            SetHandler(shape.Out, onPull: Forward);
        }

        public override void PreStart()
        {
            Pull(_shape.Escalated);
            Pull(_shape.Released);
        }

        private void TakeBack()
        {
            _escalated.Enqueue(Grab(_shape.Escalated));
            _waiting.Enter();
            Pull(_shape.Escalated);
            Forward();
        }

        private void Release()
        {
            _ = Grab(_shape.Released);
            _inFlight--;
            Pull(_shape.Released);
            Forward();
            CompleteIfDrained();
        }

        private void Forward()
        {
            if (!IsAvailable(_shape.Out))
            {
                return;
            }

            if (_escalated.TryDequeue(out GroupAttempt? again))
            {
                _waiting.Exit();
                Push(_shape.Out, again);
            }
            else if (_inFlight < _permits)
            {
                if (IsAvailable(_shape.Fresh))
                {
                    _inFlight++;
                    Push(_shape.Out, Grab(_shape.Fresh));
                }
                else if (!HasBeenPulled(_shape.Fresh) && !IsClosed(_shape.Fresh))
                {
                    Pull(_shape.Fresh);
                }
            }
        }

        private void CompleteIfDrained()
        {
            if (IsClosed(_shape.Fresh) && !IsAvailable(_shape.Fresh) && _inFlight == 0)
            {
                CompleteStage();
            }
        }
    }
}

/// <summary>Three ways in, one way out.</summary>
internal sealed class AdmissionShape(
    Inlet<GroupAttempt> fresh, Inlet<GroupAttempt> escalated, Inlet<Settled> released, Outlet<GroupAttempt> output) : Shape
{
    /// <summary>Groups that no one has sampled yet. Pulled only while a permit is free.</summary>
    public Inlet<GroupAttempt> Fresh { get; } = fresh;

    /// <summary>Groups that come back for a higher hint. Always pulled.</summary>
    public Inlet<GroupAttempt> Escalated { get; } = escalated;

    /// <summary>Groups that the learner has in its journal. Always pulled.</summary>
    public Inlet<Settled> Released { get; } = released;

    public Outlet<GroupAttempt> Out { get; } = output;

    public override ImmutableArray<Inlet> Inlets => [Fresh, Escalated, Released];

    public override ImmutableArray<Outlet> Outlets => [Out];

    public override Shape DeepCopy() => new AdmissionShape(
        (Inlet<GroupAttempt>)Fresh.CarbonCopy(),
        (Inlet<GroupAttempt>)Escalated.CarbonCopy(),
        (Inlet<Settled>)Released.CarbonCopy(),
        (Outlet<GroupAttempt>)Out.CarbonCopy());

    public override Shape CopyFromPorts(ImmutableArray<Inlet> inlets, ImmutableArray<Outlet> outlets) => new AdmissionShape(
        (Inlet<GroupAttempt>)inlets[0], (Inlet<GroupAttempt>)inlets[1], (Inlet<Settled>)inlets[2], (Outlet<GroupAttempt>)outlets[0]);
}
