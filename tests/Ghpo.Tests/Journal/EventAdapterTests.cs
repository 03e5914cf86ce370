using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence;
using Akka.Persistence.Journal;
using Ghpo.Hints;
using Ghpo.Tests.Learning;
using Ghpo.Tests.Problems;
using Xunit;
using static Ghpo.Hints.HintProtocol;

namespace Ghpo.Tests.Journal;

/// <summary>How a journal outlives its events' form. A snapshot's form did change: see ls-v1 in <see cref="GhpoEventSerializerTests"/>.</summary>
public sealed class EventAdapterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Events_of_an_old_manifest_reach_an_actor_that_knows_the_new_form_only()
    {
        await LearnerRun.Complete(_folder.Path, new LearnerRunOptions());
        HintRaised[] old = [.. LearnerRun.Journal(_folder.Path).Events(HintScheduleActor.JournalId).OfType<HintRaised>()];
        Assert.NotEmpty(old);
        string hocon = $$"""
            akka.persistence.journal.sql {
              event-adapters.hints = "{{typeof(FromRatioToPercent).AssemblyQualifiedName}}"
              event-adapter-bindings { "{{typeof(HintRaised).AssemblyQualifiedName}}" = hints }
            }
            """;

        await using JournalHost host = await JournalHost.Start(_folder.Path, hocon: hocon);
        IActorRef reader = host.System.ActorOf(Props.Create(() => new NewSchedule()));
        var raised = await reader.Ask<ImmutableList<HintRaisedV2>>("all", TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        Assert.Equal(old.Select(hint => new HintRaisedV2(hint.Group.ToString(), hint.Attempt, (int)(100 * hint.HintRatio))), raised);
        Assert.Equal("hr-v1", Assert.Single(JournalRows.Of(_folder.Path, "SELECT DISTINCT manifest FROM journal WHERE manifest LIKE 'hr-%'")));
    }

    /// <summary>A form that a later version might have: whole percent in place of a ratio.</summary>
    private sealed record HintRaisedV2(string Group, int Attempt, int Percent);

    private sealed class FromRatioToPercent : IReadEventAdapter
    {
        public IEventSequence FromJournal(object evt, string manifest) => evt is HintRaised old
            ? EventSequence.Single(new HintRaisedV2(old.Group.ToString(), old.Attempt, (int)(100 * old.HintRatio)))
            : EventSequence.Single(evt);
    }

    private sealed class NewSchedule : ReceivePersistentActor
    {
        private ImmutableList<HintRaisedV2> _raised = [];

        public NewSchedule()
        {
            Recover<HintRaisedV2>(raised => _raised = _raised.Add(raised));
            Recover<HintRaised>(_ => throw new InvalidOperationException("the old form came through"));
            Command<string>(_ => Sender.Tell(_raised));
        }

        public override string PersistenceId => HintScheduleActor.JournalId;
    }
}
