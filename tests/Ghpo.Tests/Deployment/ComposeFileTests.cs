using System.Text.RegularExpressions;
using Ghpo.Configuration;
using Ghpo.Tests.Configuration;
using Xunit;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Ghpo.Tests.Deployment;

/// <summary>What can be known of <c>compose.yaml</c>, and of the manifests in the page on deployment, without a container engine.</summary>
public sealed partial class ComposeFileTests
{
    /// <summary>Keys that a service may have, of those that the Compose Specification names.</summary>
    private static readonly string[] _serviceKeys =
    [
        "build", "image", "restart", "stop_signal", "stop_grace_period", "environment", "volumes", "healthcheck", "profiles", "user", "command", "entrypoint", "depends_on",
    ];

    private readonly Dictionary<object, object> _file = Read(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "compose.yaml")));

    private IReadOnlyDictionary<string, Dictionary<object, object>> Services =>
        Map(_file["services"]).ToDictionary(service => (string)service.Key, service => Map(service.Value), StringComparer.Ordinal);

    [Fact]
    public void It_has_postgresql_one_learner_and_workers_that_can_be_scaled()
    {
        Assert.Equal(["certs", "learner", "postgres", "worker"], Services.Keys.Order());
        Assert.All(_file.Keys, key => Assert.Contains((string)key, new[] { "x-ghpo", "services", "volumes" }));
        foreach ((string name, Dictionary<object, object> service) in Services)
        {
            Assert.All(service.Keys, key => Assert.Contains((string)key, _serviceKeys));
            Assert.True(service.ContainsKey("image"), $"{name} has no image.");
        }

        // A fixed name or published port would allow one worker only.
        Assert.DoesNotContain("container_name", Services["worker"].Keys);
        Assert.DoesNotContain("ports", Services["worker"].Keys);
    }

    [Fact]
    public void Every_variable_is_a_setting_and_has_a_value_that_fits()
    {
        foreach (string name in new[] { "learner", "worker" })
        {
            Dictionary<object, object> variables = Map(Services[name]["environment"]);
            Assert.NotEmpty(variables);
            IReadOnlyList<SettingOverride> overrides = EnvironmentSettings.Read(variables.ToDictionary(entry => (string)entry.Key, entry => (string)entry.Value));
            Assert.Equal(variables.Count, overrides.Count);
            GhpoSettings settings = SettingsBinder.Load(null, [.. overrides, new SettingOverride("ghpo.cluster.enabled", "true", "--cluster")]);
            Assert.True(settings.Cluster.Tls.Enabled);
            Assert.Equal("0.0.0.0", settings.Cluster.Host);
        }
    }

    [Fact]
    public void What_the_services_say_of_each_other_agrees()
    {
        Dictionary<object, object> learner = Map(Services["learner"]["environment"]);
        Dictionary<object, object> worker = Map(Services["worker"]["environment"]);
        Dictionary<object, object> postgres = Map(Services["postgres"]["environment"]);

        Assert.Equal($"[\"{learner["GHPO_CLUSTER_ADVERTISED_HOST"]}:{learner["GHPO_CLUSTER_PORT"]}\"]", worker["GHPO_CLUSTER_JOIN"]);
        Assert.Equal("learner", learner["GHPO_CLUSTER_ADVERTISED_HOST"]);
        Assert.Equal(
            $"Host=postgres;Database={postgres["POSTGRES_DB"]};Username={postgres["POSTGRES_USER"]};Password={postgres["POSTGRES_PASSWORD"]}",
            learner["GHPO_JOURNAL_CONNECTION_STRING"]);
        foreach (Dictionary<object, object> service in Services.Values.Where(service => service.ContainsKey("depends_on")))
        {
            IEnumerable<object> needed = service["depends_on"] is List<object> list ? list : Map(service["depends_on"]).Keys;
            Assert.All(needed, name => Assert.Contains((string)name, Services.Keys));
        }

        foreach (string volume in Services.Values.Where(service => service.ContainsKey("volumes")).SelectMany(service => (List<object>)service["volumes"]).Select(volume => ((string)volume).Split(':')[0]).Where(name => !name.StartsWith('.')))
        {
            Assert.Contains(volume, Map(_file["volumes"]).Keys);
        }
    }

    [Fact]
    public void The_commands_are_ones_that_ghpo_has_and_the_images_fit_the_dockerfile()
    {
        string[] lines = [.. Services.Values.Where(service => service.ContainsKey("entrypoint")).Select(service => (string)((List<object>)service["entrypoint"])[^1])];
        string[] commands = [.. lines.SelectMany(line => GhpoCommand().Matches(line)).Select(match => match.Groups[1].Value)];
        Assert.Equal(["certs", "resume", "train", "node"], commands);
        string help = Help();
        Assert.All(commands, command => Assert.Contains($"  {command} ", help, StringComparison.Ordinal));

        string dockerfile = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "Dockerfile"));
        Assert.All(Map(Map(Services["learner"]["build"])["args"]).Keys, argument => Assert.Contains($"ARG {argument}=", dockerfile, StringComparison.Ordinal));
        Assert.Contains("ENTRYPOINT [\"/app/ghpo\"]", dockerfile, StringComparison.Ordinal);
        Assert.Contains("--uid 10001", dockerfile, StringComparison.Ordinal);
    }

    [Fact]
    public void The_manifest_in_the_page_on_deployment_is_well_formed_and_names_settings_that_exist()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "deployment.md"));
        string yaml = Yaml().Match(page).Groups[1].Value;
        Dictionary<object, object> container = Map(((List<object>)Map(Map(Map(Read(yaml)["spec"])["template"])["spec"])["containers"])[0]);
        string[] variables = [.. ((List<object>)container["env"]).Select(entry => (string)Map(entry)["name"]).Where(name => name.StartsWith("GHPO_", StringComparison.Ordinal))];
        Assert.NotEmpty(variables);
        Assert.Equal(variables.Length, EnvironmentSettings.Read(variables.ToDictionary(name => name, _ => "")).Count);
        Assert.True(Map(container["lifecycle"]).ContainsKey("preStop"));
    }

    private static string Help()
    {
        var output = new StringWriter();
        Assert.Equal(0, Ghpo.Node.Commands.GhpoCommandLine.RunAsync(["--help"], output, output).GetAwaiter().GetResult());
        return output.ToString();
    }

    private static Dictionary<object, object> Read(string yaml) =>
        new DeserializerBuilder().Build().Deserialize<Dictionary<object, object>>(new MergingParser(new Parser(new StringReader(yaml))));

    private static Dictionary<object, object> Map(object value) => (Dictionary<object, object>)value;

    [GeneratedRegex(@"/app/ghpo (\w+)")]
    private static partial Regex GhpoCommand();

    [GeneratedRegex("```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Yaml();
}
