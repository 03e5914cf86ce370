using System.CommandLine;
using System.Diagnostics;
using Ghpo.Inspection;
using Ghpo.Node.Commands;
using Ghpo.Tests.Configuration;
using Xunit;

namespace Ghpo.Tests.Node;

/// <summary>What is said about the command line is what the parser does.</summary>
public sealed class ManualTests
{
    private static readonly RootCommand _root = GhpoCommandLine.Build();

    public static TheoryData<string> Commands => [.. _root.Subcommands.SelectMany(CommandManual.Leaves).Select(CommandNames.Of)];

    [Fact]
    public async Task The_page_of_the_command_line_is_what_the_parser_says()
    {
        (int exitCode, string manual, _) = await TinyRun.Run("manual");
        Assert.Equal(ExitCodes.Success, exitCode);
        Assert.True(
            manual == await File.ReadAllTextAsync(Path.Combine(RepositoryFiles.Root, "docs", "cli.md"), TestContext.Current.CancellationToken),
            "docs/cli.md is not up to date; write it with: dotnet run -c Release --project src/Ghpo.Node -- manual > docs/cli.md");
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Every_command_is_described_with_each_argument_and_option_and_has_examples_that_parse(string name)
    {
        Command command = _root.Parse(name.Split(' ')).CommandResult.Command;
        Assert.Equal(name, CommandNames.Of(command));
        Assert.All(command.Arguments.Cast<Symbol>().Concat(command.Options).Append(command), symbol => Assert.False(string.IsNullOrWhiteSpace(symbol.Description), $"{symbol.Name} has no description"));

        CommandExample[] examples = [.. CommandExamples.Of(command)];
        Assert.NotEmpty(examples);
        foreach (CommandExample example in examples)
        {
            IReadOnlyList<string> words = RequestReader.Split(example.Line.Split(" > ")[0]);
            ParseResult parsed = _root.Parse([.. words.Skip(1)]);
            Assert.Equal(("ghpo", name, ""), (words[0], CommandNames.Of(parsed.CommandResult.Command), string.Join(' ', parsed.Errors.Select(error => error.Message))));
        }

        (int exitCode, string help, _) = await TinyRun.Run([.. name.Split(' '), "--help"]);
        Assert.Equal(ExitCodes.Success, exitCode);
        Assert.All(examples, example => Assert.Contains($"  {example.Line}", help, StringComparison.Ordinal));
        Assert.All(command.Options.Where(option => !option.Hidden), option => Assert.Contains(option.Name, help, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_help_of_a_group_shows_the_examples_of_all_its_commands()
    {
        (_, string help, _) = await TinyRun.Run("journal", "--help");
        Assert.Equal(
            _root.Subcommands.Single(command => command.Name == "journal").Subcommands.SelectMany(CommandExamples.Of).Select(example => $"  {example.Line}"),
            help.ReplaceLineEndings("\n").Split('\n').Where(line => line.StartsWith("  ghpo journal ", StringComparison.Ordinal) && !line.Contains('[')));
    }

    [Theory]
    [InlineData("trian", "trian: did you mean train?", "`ghpo --help` lists what there is.")]
    [InlineData("journal shw first", "shw: did you mean show?", "`ghpo journal --help`")]
    [InlineData("journal show first --kidn control", "--kidn: did you mean --kind?", "`ghpo journal show --help`")]
    [InlineData("train --stepz 3", "--stepz: did you mean --steps?", "`ghpo train --help`")]
    [InlineData("pbm --jsn why", "--jsn: did you mean --json?", "`ghpo pbm --help`")]
    [InlineData("completion csh", "'csh'", "`ghpo completion --help`")]
    public async Task An_unknown_word_is_answered_with_the_nearest_known_one(string line, string expected, string where)
    {
        (int exitCode, _, string error) = await TinyRun.Run(line.Split(' '));
        Assert.Equal(ExitCodes.UserError, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Contains(where, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tr", "train")]
    [InlineData("journal ", "at check export lineage show")]
    [InlineData("train --str", "--strategy")]
    [InlineData("train --strategy ", "fixed ladder memory none")]
    [InlineData("train --set learning.rat", "learning.rate=")]
    [InlineData("journal show x --kind or", "order")]
    [InlineData("completion ", "bash fish zsh")]
    public async Task What_a_shell_is_offered_is_what_the_parser_takes(string line, string expected)
    {
        (int exitCode, string output, _) = await TinyRun.Run($"[suggest:{line.Length}]", line);
        Assert.Equal(ExitCodes.Success, exitCode);
        string[] offered = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string begun = line.Split(' ')[^1];
        // The parser also offers words that hold what is typed in their middle; shells leave them out.
        Assert.Equal(expected, string.Join(' ', offered.Where(word => word.StartsWith(begun, StringComparison.Ordinal) && (!word.StartsWith('-') || expected.StartsWith('-')))));
    }

    [Fact]
    public async Task Bash_completes_commands_options_settings_and_runs()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "runs", "first-run"));
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "completion.bash"), (await TinyRun.Run("completion", "bash")).Output, TestContext.Current.CancellationToken);
        // What bash does at a tab: the words of the line, the word that the cursor is at, the function, and what it leaves.
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "tab.bash"), """
            ghpo() { dotnet "$GHPO" "$@"; }
            source ./completion.bash
            for line in "ghpo jour" "ghpo journal show fir" "ghpo train --set rollout.work" "ghpo replay --ver" "ghpo top fir"; do
              COMP_LINE=$line COMP_POINT=${#line}
              read -ra COMP_WORDS <<< "$line"
              COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
              $(complete -p ghpo | sed 's/.*-F \([^ ]*\).*/\1/')
              echo "$line: ${COMPREPLY[*]}"
            done
            """, TestContext.Current.CancellationToken);
        var start = new ProcessStartInfo("bash", ["--noprofile", "--norc", "tab.bash"]) { WorkingDirectory = folder.Path, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["GHPO"] = Path.Combine(AppContext.BaseDirectory, "ghpo.dll");
        using Process bash = Process.Start(start)!;
        Task<string> errors = bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(
            ("ghpo jour: journal\nghpo journal show fir: first-run\nghpo train --set rollout.work: rollout.workers=\nghpo replay --ver: --verify\nghpo top fir: first-run\n", ""), (output, await errors));
    }

    [Theory]
    [InlineData("bash", "-n")]
    [InlineData("zsh", "-n")]
    [InlineData("fish", "--no-execute")]
    public async Task A_completion_script_is_one_that_its_shell_can_read(string shell, string check)
    {
        if (!Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, shell))))
        {
            Assert.Skip($"{shell} is not installed");
        }

        using var folder = new TemporaryFolder();
        string script = Path.Combine(folder.Path, "script");
        await File.WriteAllTextAsync(script, (await TinyRun.Run("completion", shell)).Output, TestContext.Current.CancellationToken);
        using Process process = Process.Start(new ProcessStartInfo(shell, [check, script]) { RedirectStandardError = true })!;
        Assert.Equal("", await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
    }
}
