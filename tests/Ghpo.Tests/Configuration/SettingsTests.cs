using Ghpo.Configuration;
using Ghpo.Hints;
using Ghpo.Learning;
using Xunit;

namespace Ghpo.Tests.Configuration;

public sealed class SettingsTests
{
    private static GhpoSettings Bind(string text, params string[] sets) =>
        SettingsBinder.Parse("my.conf", text, sets.Select(set => SettingOverride.Parse(set)));

    private static string[] ErrorsOf(string text, params string[] sets) =>
        Assert.Throws<UserErrorException>(() => Bind(text, sets)).Message.Split('\n');

    [Fact]
    public void Every_setting_has_a_key_and_a_comment_in_reference_conf_and_no_key_is_left_over()
    {
        IReadOnlyList<HoconEntry> reference = HoconReader.Read("reference.conf", SettingsBinder.ReferenceText);
        HoconEntry[] keys = [.. reference.Where(entry => entry.Value is not HoconValue.Section)];
        Assert.Equal(SettingsSchema.Keys.Select(key => key.Path).Order(), keys.Select(key => key.Path).Order());
        Assert.DoesNotContain(reference, entry => entry.Comment.Length == 0 && entry.Path != "ghpo");
    }

    [Fact]
    public void A_file_overrides_the_reference_and_the_command_line_overrides_the_file()
    {
        GhpoSettings settings = Bind("ghpo.learning { rate = 2e-4\n loss = DR_GRPO }\nghpo.rollout.deadline = 90 s", "ghpo.learning.rate=3e-4", "hints.levels=[0.1,0.9]");
        Assert.Equal(3e-4, settings.Learning.Rate);
        Assert.Equal(LossKind.DrGrpo, settings.Learning.Loss);
        Assert.Equal(TimeSpan.FromSeconds(90), settings.Rollout.Deadline);
        Assert.Equal([0.1, 0.9], settings.Hints.Levels);
        Assert.Equal(HintStrategy.Ladder, settings.Hints.Strategy);
    }

    [Fact]
    public void Everything_that_is_wrong_is_named_at_once_with_file_line_key_and_nearest_key()
    {
        string[] errors = ErrorsOf(
            """
            ghpo {
              learning { rat = 1 }
              rollout.group-size = many
              rollout.top-p = 0
              hints.strategy = lader
              hints = 3
              hints.levels = [0.5, x]
              learning.mask-truncated = 1
              rollout.deadline = 5 parsecs
            }
            """,
            "rollout.slotz=4", "ghpo.run.steps=0");
        Assert.Equal(
            [
                "--set ghpo.run.steps=0: ghpo.run.steps = 0 must be at least 1",
                "--set rollout.slotz=4: unknown key ghpo.rollout.slotz; did you mean ghpo.rollout.slots?",
                "my.conf:2: unknown key ghpo.learning.rat; did you mean ghpo.learning.rate?",
                "my.conf:3: ghpo.rollout.group-size = many must be a whole number",
                "my.conf:4: ghpo.rollout.top-p = 0 must be above 0 and at most 1",
                "my.conf:5: ghpo.hints.strategy = lader must be one of none, ladder, fixed, memory; did you mean ladder?",
                "my.conf:6: ghpo.hints is a section, not a value; its keys are ghpo.hints.strategy, ghpo.hints.levels, ghpo.hints.fixed-ratio, ghpo.hints.unit, ghpo.hints.cold-start-steps",
                "my.conf:7: ghpo.hints.levels = [0.5, x] element 2 (x) must be a number",
                "my.conf:8: ghpo.learning.mask-truncated = 1 must be true or false",
                "my.conf:9: ghpo.rollout.deadline = 5 parsecs must be a duration, as in 500ms, 30s, 20m or 1.5h",
            ],
            errors.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("hints.levels=[0.5,0.25]", "the levels must rise")]
    [InlineData("hints.levels=[0.5,1.0]", "the levels must rise and lie between 0 and 1")]
    [InlineData("hints.levels=[]", "a ladder needs at least one level")]
    [InlineData("rollout.group-size=200", "a worker must have room for one group: ghpo.rollout.slots is 128, ghpo.rollout.group-size 200")]
    [InlineData("rollout.threads=2", "or ghpo.run.deterministic = false")]
    [InlineData("model.device=cuda", "for another device set ghpo.run.deterministic = false")]
    [InlineData("rollout.temperature=0", "training samples at a temperature above 0")]
    [InlineData("rewards.accuracy-weight=0", "one of the reward weights must be above 0")]
    [InlineData("rollout.staleness=1000", "must be below ghpo.run.steps (")]
    [InlineData("journal.provider=postgresql", "needs ghpo.journal.connection-string")]
    [InlineData("data.arithmetic.operations=[1,1]", "none twice")]
    public void Settings_that_do_not_fit_together_are_blamed_on_what_the_user_wrote(string set, string expected)
    {
        string error = Assert.Single(ErrorsOf("", set));
        Assert.StartsWith($"--set {set}: ", error, StringComparison.Ordinal);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_is_read_back_as_the_same_settings()
    {
        GhpoSettings settings = Bind(
            "", "hints.levels=[0.1,0.30000000000000004]", "learning.rate=1.2345678901234567e-05", "rollout.deadline=1500ms",
            "prompt.system=\"say \\\"so\\\"\\n\\tC:\\\\x # ${no}\"", "run.seed=-9223372036854775808", "learning.loss=dr_grpo", "model.device=cuda:1", "run.deterministic=false");
        string written = SettingsWriter.Write(settings);
        GhpoSettings again = SettingsBinder.Parse("run.conf", written);
        Assert.Equal(written, SettingsWriter.Write(again));
        Assert.Equal(settings with { Hints = again.Hints, Data = again.Data, Cluster = again.Cluster, Learning = settings.Learning with { Lora = again.Learning.Lora } }, again);
        Assert.Equal(settings.Learning.Lora.Targets, again.Learning.Lora.Targets);
        Assert.Equal(settings.Hints.Levels, again.Hints.Levels);
        Assert.Equal("say \"so\"\n\tC:\\x # ${no}", again.Prompt.System);
        Assert.Equal(SettingsSchema.Keys.Count, HoconReader.Read("run.conf", written).Count(entry => entry.Value is not HoconValue.Section));
    }

    [Fact]
    public void The_configuration_manual_is_up_to_date()
    {
        string manual = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "configuration.md"));
        Assert.True(
            SettingsManual.Markdown() == manual,
            "docs/configuration.md is stale; run: dotnet run -c Release --project src/Ghpo.Node -- config --markdown > docs/configuration.md");
    }

    [Fact]
    public void A_missing_file_and_a_malformed_set_are_named()
    {
        Assert.Contains("nowhere.conf: no such configuration file", Assert.Throws<UserErrorException>(() => SettingsBinder.Load("nowhere.conf", [])).Message, StringComparison.Ordinal);
        Assert.StartsWith("--set hints.levels=[0.5: the list opened", ErrorsOf("", "hints.levels=[0.5")[0], StringComparison.Ordinal);
        Assert.Contains("--set learning.rate: expected path=value", Assert.Throws<UserErrorException>(() => SettingOverride.Parse("learning.rate")).Message, StringComparison.Ordinal);
    }
}
