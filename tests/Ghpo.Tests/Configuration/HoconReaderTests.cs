using Akka.Configuration;
using Ghpo.Configuration;
using Xunit;

namespace Ghpo.Tests.Configuration;

public sealed class HoconReaderTests
{
    [Theory]
    [InlineData("a {\n  b = 1\n", "my.conf:3: the section a opened in line 1 is not closed")]
    [InlineData("a = 1\n}\n", "my.conf:2: a '}' too many")]
    [InlineData("{ a = 1 }\nb = 2", "my.conf:2: unexpected 'b' behind the closing brace")]
    [InlineData("a = [1,\n2\n", "my.conf:3: the list opened in line 1 is not closed")]
    [InlineData("\na = \"open\nb = 1", "my.conf:2: the string begun in line 2 is not closed")]
    [InlineData("a { rate 1e-4\n }", "my.conf:1: '=' or '{' expected behind a.rate")]
    [InlineData("a = 32 order = shuffled", "my.conf:1: unexpected '=' in a value")]
    [InlineData("a = \"x\" \"y\"", "my.conf:1: unexpected '\"' behind the value of a")]
    [InlineData("a =\n# nothing\n", "my.conf:3: a value is missing")]
    [InlineData("a = ${?HOME}", "my.conf:1: substitutions")]
    [InlineData("include \"b.conf\"", "my.conf:1: include is not supported")]
    [InlineData("a += 1", "my.conf:1: 'a +=' is not supported")]
    [InlineData("a = \"C:\\users\"", "my.conf:1: unknown escape '\\u'")]
    public void Malformed_text_is_refused_with_its_line(string text, string expected)
    {
        UserErrorException error = Assert.Throws<UserErrorException>(() => HoconReader.Read("my.conf", text));
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_keep_their_line_whatever_comments_and_strings_lie_between()
    {
        const string text =
            "# first line\na { // opening\n  b.c = 1 # trailing\n\n  \"quoted\".\"k.ey\" : x y\n  list = [1, # one\n    2]\n"
            + "  text = \"\"\"two\nlines\"\"\"\n}\nlast = \"# no comment\"";
        string[] entries = [.. HoconReader.Read("f", text).Where(e => e.Value is not HoconValue.Section).Select(e => $"{e.Place} {e.Path} {e.Value}")];
        Assert.Equal(
            ["f:3 a.b.c 1", "f:5 a.quoted.k.ey x y", "f:6 a.list [1, 2]", "f:8 a.text \"two\nlines\"", "f:11 last \"# no comment\""], entries);
    }

    [Fact]
    public void A_comment_belongs_to_the_key_directly_below_it()
    {
        IReadOnlyList<HoconEntry> entries = HoconReader.Read("f", "# about the file\n\n# about a,\n# on two lines\na = 1 # trailing\nb = 2\n# at the end\n");
        Assert.Equal(["about a, on two lines", ""], entries.Select(entry => entry.Comment));
    }

    [Fact]
    public void Well_formed_text_means_what_it_means_to_Akka()
    {
        Config akka = ConfigurationFactory.ParseString(SettingsBinder.ReferenceText);
        foreach (HoconEntry entry in HoconReader.Read("reference.conf", SettingsBinder.ReferenceText))
        {
            switch (entry.Value)
            {
                case HoconValue.Scalar scalar:
                    Assert.Equal(akka.GetString(entry.Path), scalar.Text);
                    break;
                case HoconValue.List list:
                    Assert.Equal(akka.GetStringList(entry.Path), list.Items.Select(item => item.Text));
                    break;
            }
        }
    }
}
