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
            Verbs.Once("set", "change", _ => throw new NotSupportedException(), Verbs.Place("key", "what", values: ["run.steps", "learning.rate"]), Verbs.Place("value", "to what", ArgumentKind.Words)),
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

    [Theory]
    [InlineData("run set ", "--key --value learning.rate run.steps")]
    [InlineData("run set le", "learning.rate")]
    [InlineData("run set --key r", "run.steps")]
    [InlineData("run set learning.rate ", "--key --value")]
    [InlineData("run metrics -", "--last -n")]
    [InlineData("run metrics --last ", "")]
    public void Values_that_are_a_short_list_are_offered_in_their_place(string line, string expected) =>
        Assert.Equal(expected, string.Join(' ', LineEditor.Complete(_palettes, line)));

    [Fact]
    public void The_keys_of_readline_move_and_cut()
    {
        var editor = new LineEditor(_ => []);
        Type(editor, "one two three");
        Control(editor, ConsoleKey.W);
        Assert.Equal("one two ", editor.Text);
        Control(editor, ConsoleKey.A);
        Control(editor, ConsoleKey.F);
        Control(editor, ConsoleKey.D);
        Assert.Equal(("oe two ", 1), (editor.Text, editor.Cursor));
        Control(editor, ConsoleKey.K);
        Assert.Equal("o", editor.Text);
        Type(editor, "ff");
        Control(editor, ConsoleKey.B);
        Control(editor, ConsoleKey.U);
        Control(editor, ConsoleKey.E);
        Control(editor, ConsoleKey.H);
        Assert.Equal("", editor.Text);
        Type(editor, "gone");
        editor.Drop();
        Assert.Equal(("", 0), (editor.Text, editor.Cursor));
    }

    [Fact]
    public void A_character_of_several_units_is_passed_and_cut_whole_and_counts_as_wide_as_it_is_shown()
    {
        var editor = new LineEditor(_ => []);
        Type(editor, "日本😀e\u0301x");
        Assert.Equal(("日本😀e\u0301x", 8), editor.Window(20));
        Assert.Equal(("e\u0301x", 2), editor.Window(3));
        Press(editor, ConsoleKey.LeftArrow);
        Press(editor, ConsoleKey.Backspace);
        Press(editor, ConsoleKey.Backspace);
        Assert.Equal(("日本x", 2), (editor.Text, editor.Cursor));
        Assert.Equal(("日本", 4), editor.Window(4));
        Press(editor, ConsoleKey.Home);
        Press(editor, ConsoleKey.Delete);
        Assert.Equal("本x", editor.Text);
    }

    private static void Control(LineEditor editor, ConsoleKey key) => editor.Press(new ConsoleKeyInfo((char)(key - ConsoleKey.A + 1), key, false, false, control: true));

    private static string? Press(LineEditor editor, ConsoleKey key) => editor.Press(new ConsoleKeyInfo('\0', key, false, false, false));

    private static void Type(LineEditor editor, string text)
    {
        foreach (char c in text)
        {
            editor.Press(new ConsoleKeyInfo(c, c == '\t' ? ConsoleKey.Tab : ConsoleKey.None, false, false, false));
        }
    }
}
