using Ghpo.Configuration;
using Ghpo.Node.Runs;
using Xunit;

namespace Ghpo.Tests.Node;

public sealed class RunFolderTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 4, 12, 5, 6, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private GhpoSettings Settings(string name, string? runs = null) => SettingsBinder.Load(
        null, [new SettingOverride("run.name", $"\"{name}\"", "--run"), new SettingOverride("run.folder", runs ?? Path.Combine(_folder.Path, "runs"), "--set")]);

    [Fact]
    public void A_new_run_folder_holds_the_configuration_that_a_resumed_run_reads()
    {
        GhpoSettings settings = Settings("first");
        RunFolder created = RunFolder.Create(settings, Noon);
        RunFolder opened = RunFolder.Open(created.Root);
        Assert.Equal(SettingsWriter.Write(settings), SettingsWriter.Write(opened.ReadSettings()));
        Assert.True(opened.HoldsNothing);
        Assert.Empty(Directory.GetFiles(created.Root, ".probe"));
    }

    [Fact]
    public void A_run_without_name_is_named_by_its_start() => Assert.Equal("20260304-120506", RunFolder.Create(Settings(""), Noon).Name);

    [Fact]
    public void A_name_that_exists_is_refused_and_nothing_in_it_is_touched()
    {
        RunFolder first = RunFolder.Create(Settings("twice"), Noon);
        File.WriteAllText(first.Journal, "kept");
        UserErrorException error = Assert.Throws<UserErrorException>(() => RunFolder.Create(Settings("twice"), Noon));
        Assert.Contains("exists", error.Message, StringComparison.Ordinal);
        Assert.Contains("ghpo resume", error.Message, StringComparison.Ordinal);
        Assert.Equal("kept", File.ReadAllText(first.Journal));
    }

    [Fact]
    public void What_a_killed_start_left_behind_does_not_take_the_name()
    {
        RunFolder first = RunFolder.Create(Settings("killed"), Noon);
        File.Move(first.Configuration, first.Configuration + ".partial");

        RunFolder second = RunFolder.Create(Settings("killed"), Noon);

        Assert.Equal(first.Root, second.Root);
        Assert.Equal([second.Configuration], Directory.GetFiles(second.Root));
        Assert.Throws<UserErrorException>(() => RunFolder.Create(Settings("killed"), Noon));
    }

    [Theory]
    [InlineData("../up")]
    [InlineData("a/b")]
    [InlineData(".hidden")]
    [InlineData("sp ace")]
    [InlineData("-dash")]
    public void A_name_that_is_no_plain_folder_name_is_refused(string name) =>
        Assert.Contains("cannot name a run", Assert.Throws<UserErrorException>(() => RunFolder.Create(Settings(name), Noon)).Message, StringComparison.Ordinal);

    [Fact]
    public void Where_nothing_can_be_written_the_way_out_is_named_and_nothing_is_left()
    {
        string file = Path.Combine(_folder.Path, "file");
        File.WriteAllText(file, "");
        UserErrorException error = Assert.Throws<UserErrorException>(() => RunFolder.Create(Settings("run", Path.Combine(file, "runs")), Noon));
        Assert.Contains("cannot be written", error.Message, StringComparison.Ordinal);
        Assert.Contains("--set ghpo.run.folder=FOLDER", error.Message, StringComparison.Ordinal);
        Assert.Equal([file], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_run_that_does_not_exist_is_named() =>
        Assert.Contains("nowhere: no such run", Assert.Throws<UserErrorException>(() => RunFolder.Open("nowhere")).Message, StringComparison.Ordinal);
}
