using System.Net;
using Akka.Actor;
using Ghpo.Inspection;
using Ghpo.Node.Inspecting;
using Ghpo.Node.Top;
using Xunit;

namespace Ghpo.Tests.Top;

public sealed class TopFeedTests : IAsyncLifetime
{
    private readonly ActorSystem _system = ActorSystem.Create("top-feed-tests", "akka.loglevel = OFF\nakka.stdout-loglevel = OFF");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await _system.Terminate();

    [Fact]
    public async Task What_a_node_s_own_worker_samples_a_second_is_unknown_at_first_and_then_counted_between_two_answers()
    {
        int sampled = 0;
        var inspector = new Inspector(
            new VerbPalette("why", "", [Verbs.Once("", "", _ => Lines(new { Name = "gpu-7", Sentence = "samples 2 groups under v12" }))]),
            new VerbPalette("worker", "", [Verbs.Once("list", "", _ => Lines(new { Name = "gpu-7", Version = 12, Groups = 2, RunningSequences = 16, TokensSampled = sampled += 5000 }))]));
        IPEndPoint host = (await InspectionHost.OpenAsync(_system, inspector, new InspectionSettings(true, "127.0.0.1", 0, ""), "gpu-7", ""))!;
        using PbmClient client = await PbmClient.ConnectAsync("127.0.0.1", host.Port, "");
        var feed = new TopFeed(client, host.ToString());

        TopState first = await feed.NextAsync();
        Assert.Equal("gpu-7 samples 2 groups under v12", first.Node);
        Assert.Null(Assert.Single(first.Workers).TokensPerSecond);
        Assert.True(Assert.Single((await feed.NextAsync()).Workers).TokensPerSecond > 0);
    }

    private static Task<IEnumerable<ResponseLine>> Lines(object fact) => Task.FromResult<IEnumerable<ResponseLine>>([Verbs.Line("", fact)]);
}
