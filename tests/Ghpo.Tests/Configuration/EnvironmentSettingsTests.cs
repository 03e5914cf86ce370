using Ghpo.Configuration;
using Xunit;

namespace Ghpo.Tests.Configuration;

public sealed class EnvironmentSettingsTests
{
    [Fact]
    public void Every_setting_has_a_variable_and_no_two_share_one() =>
        Assert.Equal(SettingsSchema.Keys.Count, SettingsSchema.Keys.Select(key => EnvironmentSettings.VariableOf(key.Path)).Distinct().Count());

    [Fact]
    public void A_variable_sets_its_setting()
    {
        GhpoSettings settings = SettingsBinder.Load(null, EnvironmentSettings.Read(new Dictionary<string, string>
        {
            ["GHPO_CLUSTER_ADVERTISED_HOST"] = "learner-0",
            ["GHPO_CLUSTER_JOIN"] = "[\"learner:4053\"]",
            ["GHPO_TEST_POSTGRES"] = "not ours",
            ["GHPO_TOKEN"] = "of `ghpo pbm` and `ghpo top`",
            ["PATH"] = "/bin",
        }));
        Assert.Equal("learner-0", settings.Cluster.AdvertisedHost);
        Assert.Equal(["learner:4053"], settings.Cluster.Join);
    }

    [Fact]
    public void A_variable_that_names_no_setting_is_an_error_with_the_nearest_one()
    {
        var error = Assert.Throws<UserErrorException>(() => EnvironmentSettings.Read(new Dictionary<string, string> { ["GHPO_CLUSTER_HOTS"] = "x" }));
        Assert.Equal("environment variable GHPO_CLUSTER_HOTS names no setting; did you mean GHPO_CLUSTER_HOST (ghpo.cluster.host)?", error.Message);
    }
}
