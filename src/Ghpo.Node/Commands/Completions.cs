using System.CommandLine;
using System.CommandLine.Completions;
using Ghpo.Configuration;

namespace Ghpo.Node.Commands;

/// <summary>What a shell is offered for values that the parser cannot know by their types.</summary>
internal static class Completions
{
    /// <summary>Names of the runs in <c>runs/</c>.</summary>
    public static Argument<T> OfRuns<T>(this Argument<T> argument)
    {
        argument.CompletionSources.Add(_ => Runs());
        return argument;
    }

    /// <inheritdoc cref="OfRuns{T}(Argument{T})"/>
    public static Option<T> OfRuns<T>(this Option<T> option)
    {
        option.CompletionSources.Add(_ => Runs());
        return option;
    }

    public static Option<T> Of<T>(this Option<T> option, IEnumerable<string> values)
    {
        option.CompletionSources.Add([.. values]);
        return option;
    }

    /// <summary>Paths of settings, each with its equals sign.</summary>
    public static Option<T> OfSettings<T>(this Option<T> option, Func<string, bool>? among = null)
    {
        const string Root = SettingsSchema.Root + ".";
        option.CompletionSources.Add(_ => SettingsSchema.Keys.Select(key => key.Path).Where(path => among?.Invoke(path) ?? true).Select(path => new CompletionItem($"{path[Root.Length..]}=")));
        return option;
    }

    private static IEnumerable<CompletionItem> Runs() => !Directory.Exists("runs") ? [] :
        Directory.GetDirectories("runs").Select(run => Path.GetFileName(run)!).Order(StringComparer.Ordinal).Select(name => new CompletionItem(name));
}
