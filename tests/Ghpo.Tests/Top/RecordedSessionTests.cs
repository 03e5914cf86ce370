using System.Diagnostics;
using System.Text.RegularExpressions;
using Ghpo.Tests.Configuration;
using Xunit;

namespace Ghpo.Tests.Top;

/// <summary>The session that docs/images/session.txt shows, recorded again from a real terminal.</summary>
public sealed partial class RecordedSessionTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task A_session_in_a_terminal_shows_line_by_line_what_the_recorded_one_does()
    {
        Assert.SkipWhen(!Has("tmux"), "tmux is not installed.");
        string images = Path.Combine(RepositoryFiles.Root, "docs", "images");
        var start = new ProcessStartInfo("bash", [Path.Combine(images, "session.sh"), "dotnet", Path.Combine(AppContext.BaseDirectory, "ghpo.dll")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["SESSION_AFTER"] = "2" },
        };
        using Process session = Process.Start(start)!;
        using var patience = new CancellationTokenSource(_patience);
        Task<string> output = session.StandardOutput.ReadToEndAsync(patience.Token);
        Task<string> error = session.StandardError.ReadToEndAsync(patience.Token);
        await session.WaitForExitAsync(patience.Token);
        Assert.True(session.ExitCode == 0, await error);

        Assert.Equal(Shape(await File.ReadAllTextAsync(Path.Combine(images, "session.txt"), TestContext.Current.CancellationToken)), Shape(await output));
    }

    /// <summary>How each line begins, but for the sentence of <c>why</c> and lines that begin with a figure, a time or a group: those differ from run to run.</summary>
    private static string[] Shape(string session)
    {
        string text = Sentence().Replace(Address().Replace(session.ReplaceLineEndings("\n"), ""), "$1");
        return [.. text.Split('\n').Select(line => Beginning().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value)];
    }

    private static bool Has(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    [GeneratedRegex(@"^\[127\.0\.0\.1:\d+\] ", RegexOptions.Multiline)]
    private static partial Regex Address();

    [GeneratedRegex(@"(pbm> why\n)(?:(?!pbm>).*\n)*")]
    private static partial Regex Sentence();

    [GeneratedRegex(@"^[│\s]*(═══ .*|pbm> .*|[A-Za-z][\w/.-]*)")]
    private static partial Regex Beginning();
}
