using Ghpo.Node.Runs;
using Ghpo.Tests.Dispatch;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Xunit;

namespace Ghpo.Tests.Node;

public sealed class RepeatedLinesTests : ILogEventSink
{
    private readonly ManualTime _time = new();
    private readonly List<string> _shown = [];

    void ILogEventSink.Emit(LogEvent logEvent) => _shown.Add(logEvent.RenderMessage(System.Globalization.CultureInfo.InvariantCulture));

    [Fact]
    public void What_Akka_repeats_is_shown_once_in_a_while_whatever_its_numbers_and_everything_else_always()
    {
        using Logger log = new LoggerConfiguration().Filter.With(new RepeatedLines(_time)).WriteTo.Sink(this).CreateLogger();
        ILogger akka = log.ForContext(Constants.SourceContextPropertyName, "Akka.Remote.EndpointManager");
        ILogger own = log.ForContext(Constants.SourceContextPropertyName, "Ghpo.Dispatch.NodeActor");
        for (int i = 0; i < 3; i++)
        {
            akka.Warning("gated after {Attempt} attempts", i);
            own.Information("a learner is looked for, {Attempt}", i);
            akka.Error("refused");
        }

        _time.Elapsed = RepeatedLines.Interval;
        akka.Warning("gated after {Attempt} attempts", 4);
        Assert.Equal(["gated after 0 attempts", "gated after 4 attempts"], _shown.Where(line => line.StartsWith("gated", StringComparison.Ordinal)));
        Assert.Equal(3, _shown.Count(line => line.StartsWith("a learner", StringComparison.Ordinal)));
        Assert.Equal(3, _shown.Count(line => line == "refused"));
    }
}
