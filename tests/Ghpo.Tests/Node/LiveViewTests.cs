using Ghpo.Node.Reporting;
using Spectre.Console;
using Xunit;

namespace Ghpo.Tests.Node;

public sealed class LiveViewTests
{
    [Fact]
    public void A_note_takes_the_panel_s_place_and_erases_what_the_panel_leaves_to_its_right()
    {
        var terminal = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            Interactive = InteractionSupport.Yes,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(terminal),
        });
        using (var view = new LiveView(console))
        {
            view.Note("checkpoint after step 20");
        }

        Assert.Contains("\u001b[Jcheckpoint after step 20", terminal.ToString(), StringComparison.Ordinal);
    }
}
