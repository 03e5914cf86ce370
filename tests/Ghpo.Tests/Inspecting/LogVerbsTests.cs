using System.Collections.Immutable;
using System.Net;
using Akka.Actor;
using Ghpo.Inspection;
using Ghpo.Node.Inspecting;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Xunit;

namespace Ghpo.Tests.Inspecting;

/// <summary>The log of a process as clients follow it, on a real socket.</summary>
public sealed class LogVerbsTests : IAsyncLifetime
{
    private readonly ActorSystem _system = ActorSystem.Create("log-verbs-tests", "akka.loglevel = WARNING\nakka.stdout-loglevel = OFF\nakka.loggers = []");
    private readonly LogBuffer _lines = new(LogEventLevel.Information);
    private readonly Logger _log;
    private IPEndPoint _host = null!;

    public LogVerbsTests() => _log = new LoggerConfiguration().MinimumLevel.ControlledBy(_lines.Level).WriteTo.Sink(_lines).CreateLogger();

    public async ValueTask InitializeAsync() =>
        _host = (await InspectionHost.OpenAsync(_system, new Inspector(new LogVerbs(_lines).Palette), new InspectionSettings(true, "127.0.0.1", 0, ""), "node", ""))!;

    public async ValueTask DisposeAsync()
    {
        await _system.Terminate();
        await _log.DisposeAsync();
    }

    [Fact]
    public async Task A_tail_begins_with_the_last_lines_goes_on_with_new_ones_of_the_level_in_force_and_ends_when_it_is_cancelled()
    {
        foreach (string text in new[] { "one", "two", "three" })
        {
            _log.Information("{Text}", text);
        }

        using PbmClient client = await PbmClient.ConnectAsync("127.0.0.1", _host.Port, "");
        using PbmClient other = await PbmClient.ConnectAsync("127.0.0.1", _host.Port, "");
        using var interrupted = new CancellationTokenSource();
        var seen = new List<string>();
        await foreach (ResponseLine line in client.AskAsync(Request("tail", ("last", "2")), interrupted.Token).WithCancellation(TestContext.Current.CancellationToken))
        {
            seen.Add(line.Text[(line.Text.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
            if (seen.Count == 2)
            {
                _log.Debug("too fine");
                await foreach (ResponseLine said in other.AskAsync(Request("level", ("level", "debug")), CancellationToken.None).WithCancellation(TestContext.Current.CancellationToken))
                {
                    Assert.Equal("logged from now on: debug and above", said.Text);
                }

                _log.Debug("four");
            }
            else if (seen.Count == 3)
            {
                await interrupted.CancelAsync();
            }
        }

        Assert.Equal(["INFO two", "INFO three", "DEBU four"], seen);
    }

    [Fact]
    public async Task A_client_that_does_not_read_its_tail_is_dropped_and_the_others_see_all_that_is_logged()
    {
        using RawClient deaf = await RawClient.Greeted(_host);
        string text = new('x', 2000);
        int logged = 0;
        int asked = 0;
        // A burst may end a tail whose client would have read it; so it is asked for again.
        await deaf.Dropped(meanwhile: () =>
        {
            for (int i = 0; i < 100; i++)
            {
                _log.Information("{Number} {Text}", ++logged, text);
            }

            return deaf.Send(new ClientFrame(ClientFrameKind.Request, ++asked, Palette: "log", Command: "tail"));
        });

        using PbmClient other = await PbmClient.ConnectAsync("127.0.0.1", _host.Port, "");
        var lines = ImmutableArray.CreateBuilder<string>();
        await foreach (ResponseLine line in other.AskAsync(Request("peek", ("last", "1")), CancellationToken.None).WithCancellation(TestContext.Current.CancellationToken))
        {
            lines.Add(line.Text);
        }

        Assert.Contains($" INFO {logged} xxx", Assert.Single(lines), StringComparison.Ordinal);
    }

    private static InspectionRequest Request(string command, (string Name, string Value) argument) =>
        new("log", command, ImmutableSortedDictionary<string, string>.Empty.Add(argument.Name, argument.Value), "me");
}
