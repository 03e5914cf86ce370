using System.CommandLine;

namespace Ghpo.Node.Commands;

/// <summary>How each command is typed, for <c>--help</c> and the manual. Every one of them is parsed by a test.</summary>
internal static class CommandExamples
{
    private static readonly Dictionary<string, CommandExample[]> _examples = new(StringComparer.Ordinal)
    {
        ["train"] =
        [
            new("ghpo train", "the built-in model on the built-in problems"),
            new("ghpo train --config run.conf --data gsm8k.jsonl --run first --strategy ladder --steps 200", "problems and settings of one's own"),
            new("ghpo train --set learning.rate=2e-5 --set rollout.workers=2 --dry-run", "what would be in force"),
            new("ghpo train --cluster --set cluster.port=4053", "with workers of other machines (docs/cluster.md)"),
        ],
        ["resume"] =
        [
            new("ghpo resume first", "from where it was interrupted"),
            new("ghpo resume first --set run.steps=400 --set learning.rate=1e-5", "further, with other settings from the first open step on"),
        ],
        ["node"] =
        [
            new("ghpo node --join learner:4053", "until it is stopped, for one run after the other"),
            new("ghpo node --config node.conf --join a:4053 --join b:4053 --once", "whichever answers, for one run"),
        ],
        ["compare"] =
        [
            new("ghpo compare --strategies none,ladder --seeds 1,2,3,4,5 --token-budget 2000000", "GRPO and GHPO at equal rollout tokens"),
            new("ghpo compare --strategies ladder,slow=ladder --set slow:learning.rate=1e-5 --seeds 1,2 --token-budget 500000 --name rates", "a setting against itself"),
        ],
        ["report"] =
        [
            new("ghpo report first", "runs/first/report/index.html"),
            new("ghpo report first second --out compared", "both in each plot"),
            new("ghpo report backup/journal.db", "from a journal and nothing else"),
        ],
        ["journal show"] =
        [
            new("ghpo journal show first --from 10 --to 12", "all events of three steps"),
            new("ghpo journal show first --kind control --kind order --json", "who changed and ordered what"),
        ],
        ["journal at"] = [new("ghpo journal at first --step 10", "the state right after the commit of step 10")],
        ["journal lineage"] =
        [
            new("ghpo journal lineage first --step 10", "what made a step"),
            new("ghpo journal lineage first --problem arithmetic/train/8/153", "what a problem was used for"),
        ],
        ["journal check"] = [new("ghpo journal check first", "nothing lost, trained twice or skipped")],
        ["journal export"] = [new("ghpo journal export first --parquet first.parquet --from 100", "a row an answer")],
        ["replay"] =
        [
            new("ghpo replay first --verify", "every step and checkpoint computed again"),
            new("ghpo replay first --to 20 --out step20", "the weights after step 20"),
        ],
        ["fork"] = [new("ghpo fork first --at-step 20 --run steeper --set learning.rate=1e-4", "then: ghpo resume steeper")],
        ["pretrain"] = [new("ghpo pretrain --out models/mine --steps 2000 --seed 7", "a base model for the built-in problems")],
        ["merge"] = [new("ghpo merge models/base runs/first/adapter --out merged", "a model folder with the adapter in its weights")],
        ["verify"] = [new("ghpo verify cases.jsonl", "a verdict a line, then the sums"), new("ghpo verify cases.jsonl --json", "for scripts")],
        ["generate"] = [new("ghpo generate models/base --prompt \"What is 2 + 3 * 4?\" --temperature 0", "the likeliest answer")],
        ["eval"] = [new("ghpo eval models/base --data math500.jsonl --preset math-500 --json figures.json", "a benchmark that is known by name")],
        ["inspect-model"] = [new("ghpo inspect-model models/base --lora-rank 8", "parameters, and the memory to train them")],
        ["config"] = [new("ghpo config", "every setting, as a file to begin with")],
        ["pbm"] =
        [
            new("ghpo pbm why", "what the run on 127.0.0.1:9110 waits for"),
            new("ghpo pbm --run first run set learning.rate 1e-4", "a setting of a run by its name"),
            new("ghpo pbm 127.0.0.1:9111", "a prompt, with history, completion and help"),
        ],
        ["top"] = [new("ghpo top first", "a run of this machine by its name"), new("ghpo top 127.0.0.1:9111", "whatever runs there")],
        ["runs"] = [new("ghpo runs", "those in runs/"), new("ghpo runs --folder /data/runs --json", "for scripts")],
        ["certs"] = [new("ghpo certs --out certs --nodes learner,worker-1,worker-2", "an authority, and a certificate and key each")],
        ["completion"] =
        [
            new("ghpo completion bash > ~/.local/share/bash-completion/completions/ghpo", "for every new shell"),
            new("ghpo completion zsh", "to be sourced after compinit"),
        ],
        ["manual"] = [new("ghpo manual > docs/cli.md", "this program's own, whatever version it is")],
    };

    /// <summary>Of a command, or of all below it.</summary>
    public static IEnumerable<CommandExample> Of(Command command) => _examples.TryGetValue(CommandNames.Of(command), out CommandExample[]? examples)
        ? examples
        : command is RootCommand ? [] : command.Subcommands.SelectMany(Of);
}

/// <param name="Line">As it is typed.</param>
/// <param name="Meaning">What comes of it.</param>
internal sealed record CommandExample(string Line, string Meaning);
