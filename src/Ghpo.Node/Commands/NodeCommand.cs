using System.CommandLine;
using Ghpo.Configuration;
using Ghpo.Dispatch;
using Ghpo.Node.Runs;

namespace Ghpo.Node.Commands;

/// <summary><c>ghpo node</c>: samples, or verifies, for the runs of a learner on another machine.</summary>
internal static class NodeCommand
{
    private static readonly string[] Known = [GhpoNode.RolloutRole, GhpoNode.VerifierRole];

    public static Command Build()
    {
        var options = new SettingOptions();
        var roles = new Option<string[]>("--roles")
        {
            Description = "What the node does: rollout (samples answers), verifier (judges them), or both, as in rollout,verifier.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [GhpoNode.RolloutRole],
        };
        var join = new Option<string[]>("--join") { Description = "Learner to join (ghpo.cluster.join); may be given many times.", HelpName = "HOST:PORT" };
        var once = new Option<bool>("--once") { Description = "End when the learner ends its run, instead of waiting for the next one." };
        var command = new Command("node", "Samples or verifies for a learner on another machine: joins it, leaves it, and waits for it to come back.") { roles, join, once };
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            string[] asked = [.. (parsed.GetValue(roles) ?? []).SelectMany(role => role.Split(',')).Distinct()];
            if (asked.FirstOrDefault(role => !Known.Contains(role)) is { } unknown)
            {
                throw new UserErrorException($"--roles {unknown}: a node can have the roles {string.Join(" and ", Known)}, and no other");
            }

            GhpoSettings settings = options.Resolve(parsed);
            string[] learners = parsed.GetValue(join) ?? [];
            if (learners.Length > 0)
            {
                string list = $"[{string.Join(", ", learners.Select(learner => $"\"{learner}\""))}]";
                settings = LiveSettings.With(settings, new SettingOverride("ghpo.cluster.join", list, $"--join {string.Join(' ', learners)}"));
            }

            if (settings.Cluster.Join.Count == 0)
            {
                throw new UserErrorException("Which learner? --join HOST:PORT, or ghpo.cluster.join; `ghpo train --cluster --set cluster.port=PORT` opens that port.");
            }

            return await NodeRun.ExecuteAsync(settings, [.. asked], parsed.GetValue(once), parsed.InvocationConfiguration.Output);
        });
        return command;
    }
}
