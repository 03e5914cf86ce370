using System.CommandLine;

namespace Ghpo.Node.Commands;

/// <summary>
/// <c>ghpo completion</c>: what makes a shell complete command lines of this program. The shell asks the program itself, by the parser's directive
/// <c>[suggest:POSITION] "LINE"</c>, so that what is offered is what is understood; names of files are the shell's own.
/// </summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # Completion of ghpo for bash. Keep it as ~/.local/share/bash-completion/completions/ghpo, or source it.
        _ghpo() {
          local line=${COMP_LINE:0:COMP_POINT} word=${COMP_WORDS[COMP_CWORD]} candidate
          line=${line#"${COMP_WORDS[0]}"}
          line=${line# }
          COMPREPLY=()
          while IFS= read -r candidate; do
            [[ $candidate == "$word"* ]] && COMPREPLY+=("$candidate")
          done < <("${COMP_WORDS[0]}" "[suggest:${#line}]" "$line" 2>/dev/null)
          # A setting goes on with its value.
          [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
          return 0
        }
        complete -o default -F _ghpo ghpo

        """;

    private const string Zsh = """
        #compdef ghpo
        # Completion of ghpo for zsh. Keep it as _ghpo in a folder of $fpath, or source it after compinit.
        _ghpo() {
          local line=${BUFFER[1,CURSOR]}
          local -a candidates
          line=${line#"${words[1]}"}
          line=${line# }
          candidates=(${(f)"$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)"})
          local -a settings=(${(M)candidates:#*=}) others=(${candidates:#*=})
          compadd -S '' -a settings
          compadd -a others
          _files
        }
        compdef _ghpo ghpo

        """;

    private const string Fish = """
        # Completion of ghpo for fish. Keep it as ~/.config/fish/completions/ghpo.fish.
        function __ghpo_complete
            set -l words (commandline --tokenize --cut-at-cursor)
            set -l line (commandline --cut-at-cursor | string replace --regex '^\s*\S+ ?' '')
            $words[1] "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete --command ghpo --arguments '(__ghpo_complete)'

        """;

    public static Command Build()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Prints what makes a shell complete command lines of this program.") { shell };
        command.SetAction(parsed =>
        {
            string script = parsed.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish };
            parsed.InvocationConfiguration.Output.Write(script.ReplaceLineEndings("\n"));
            return ExitCodes.Success;
        });
        return command;
    }
}
