using System.Text;

namespace Ghpo.Configuration;

/// <summary>The configuration reference as Markdown, made from reference.conf and the settings records.</summary>
public static class SettingsManual
{
    public static string Markdown()
    {
        IReadOnlyList<HoconEntry> reference = HoconReader.Read(SettingsBinder.ReferenceName, SettingsBinder.ReferenceText);
        var keys = SettingsSchema.Keys.ToDictionary(key => key.Path, StringComparer.Ordinal);
        var text = new StringBuilder("""
            # Configuration

            Made from `hocon/reference.conf` by `ghpo config --markdown > docs/configuration.md`; a test fails where the two differ.

            A run file (`--config FILE`) overrides these defaults, and `--set path=value` overrides both. Files are HOCON: sections in braces or as
            dotted paths, one setting a line. An unknown key, a wrong type or a value out of range stops the start with file, line, key and the
            nearest valid key. `ghpo train --dry-run` prints the configuration that a run would have. In a list of choices, upper and lower case,
            `-` and `_` make no difference.

            """);
        string? section = null;
        foreach (HoconEntry entry in reference.Where(entry => keys.ContainsKey(entry.Path)))
        {
            string current = entry.Path[..entry.Path.LastIndexOf('.')];
            if (current != section)
            {
                section = current;
                HoconEntry opening = reference.First(candidate => candidate.Path == section);
                text.Append("\n## ").Append(section).Append("\n\n");
                if (opening.Comment.Length > 0)
                {
                    text.Append(opening.Comment).Append("\n\n");
                }

                text.Append("| key | default | accepts | meaning |\n| --- | --- | --- | --- |\n");
            }

            text.Append("| `").Append(entry.Path[(section.Length + 1)..]).Append("` | `").Append(entry.Value).Append("` | ")
                .Append(keys[entry.Path].Accepts).Append(" | ").Append(Escape(entry.Comment)).Append(" |\n");
        }

        return text.ToString();
    }

    private static string Escape(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
