using System.Collections.Immutable;
using Ghpo.Configuration;
using Ghpo.Inspection;
using Ghpo.Node.Inspecting;
using Xunit;

namespace Ghpo.Tests.Inspecting;

/// <summary>What is typed: words into requests, keys into lines.</summary>
public sealed class PromptTests
{
    private static readonly ImmutableArray<InspectionPalette> _palettes = new Inspector(
        new VerbPalette("run", "the run",
        [
            Verbs.Once("status", "how", _ => throw new NotSupportedException()),
            Verbs.Once("stop", "end", _ => throw new NotSupportedException()),
            Verbs.Once("metrics", "figures", _ => throw new NotSupportedException(), Verbs.Option("last", "how many", "10", "-n")),
            Verbs.Once("set", "change", _ => throw new NotSupportedException(), Verbs.Place("key", "what"), Verbs.Place("value", "to what", ArgumentKind.Words)),
        ]),
        new VerbPalette("why", "what it waits for", [Verbs.Once("", "in a sentence", _ => throw new NotSupportedException())])).Palettes;

    [Theory]
    [InlineData("run set learning.rate 1e-4", "key=learning.rate,value=1e-4")]
    [InlineData("run set hints.levels [0.1, 0.2]", "key=hints.levels,value=[0.1, 0.2]")]
    [InlineData("run set --value -1 --key x", "")]
    [InlineData("run set x -1", "key=x,value=-1")]
    [InlineData("run metrics -n 3", "last=3")]
    [InlineData("why", "")]
    [InlineData("run set 'a b' \"c d\"", "key=a b,value=c d")]
    public void Words_become_a_request(string line, string expected)
    {
        if (expected.Length == 0 && line != "why")
        {
            // A list of words takes all that follows, a switch too.
            Assert.Throws<UserErrorException>(() => RequestReader.Read(_palettes, RequestReader.Split(line), "me"));
            return;
        }

        InspectionRequest request = RequestReader.Read(_palettes, RequestReader.Split(line), "me");
        Assert.Equal(expected, string.Join(",", request.Arguments.Select(pair => $"{pair.Key}={pair.Value}")));
    }

    [Fact]
    public void Keys_make_a_line_with_history_and_completion()
    {
        var editor = new LineEditor(before => LineEditor.Complete(_palettes, before));
        Type(editor, "ru\tst");
        Assert.Equal("run st", editor.Text);
        Press(editor, ConsoleKey.Tab);
        Assert.Equal(["status", "stop"], editor.Candidates);
        Type(editor, "a\t");
        Assert.Equal("run status ", editor.Text);
        Assert.Equal("run status ", Press(editor, ConsoleKey.Enter));
        Type(editor, "whx");
        Press(editor, ConsoleKey.Backspace);
        Type(editor, "y");
        Press(editor, ConsoleKey.Home);
        Press(editor, ConsoleKey.Delete);
        Type(editor, "w");
        Assert.Equal("why", Press(editor, ConsoleKey.Enter));
        Press(editor, ConsoleKey.UpArrow);
        Press(editor, ConsoleKey.UpArrow);
        Assert.Equal("run status ", editor.Text);
        Press(editor, ConsoleKey.DownArrow);
        Assert.Equal("why", editor.Text);
        Press(editor, ConsoleKey.DownArrow);
        Assert.Equal("", editor.Text);
    }

    private static string? Press(LineEditor editor, ConsoleKey key) => editor.Press(new ConsoleKeyInfo('\0', key, false, false, false));

    private static void Type(LineEditor editor, string text)
    {
        foreach (char c in text)
        {
            editor.Press(new ConsoleKeyInfo(c, c == '\t' ? ConsoleKey.Tab : ConsoleKey.None, false, false, false));
        }
    }
}
