using System.Reflection;
using System.Text;

namespace Ghpo.Configuration;

/// <summary>Writes settings as HOCON, every key of them. <see cref="SettingsBinder"/> reads an equal record back.</summary>
public static class SettingsWriter
{
    public static string Write(GhpoSettings settings)
    {
        var text = new StringBuilder();
        WriteSection(text, SettingsSchema.Root, settings, indent: "");
        return text.ToString();
    }

    /// <summary>Every key by its full path, in their order, with its value as it would stand in a file.</summary>
    public static IReadOnlyDictionary<string, string> Flat(GhpoSettings settings)
    {
        var values = new OrderedDictionary<string, string>();
        AddSection(values, SettingsSchema.Root, settings);
        return values;
    }

    private static void AddSection(OrderedDictionary<string, string> values, string path, object section)
    {
        foreach (ParameterInfo parameter in SettingsSchema.ConstructorOf(section.GetType()).GetParameters())
        {
            object value = section.GetType().GetProperty(parameter.Name!)!.GetValue(section)!;
            string below = $"{path}.{SettingsSchema.Kebab(parameter.Name!)}";
            if (SettingsSchema.IsSection(parameter.ParameterType))
            {
                AddSection(values, below, value);
            }
            else
            {
                values.Add(below, SettingText.Format(value));
            }
        }
    }

    private static void WriteSection(StringBuilder text, string name, object section, string indent)
    {
        text.Append(indent).Append(name).Append(" {\n");
        string inner = indent + "  ";
        foreach (ParameterInfo parameter in SettingsSchema.ConstructorOf(section.GetType()).GetParameters())
        {
            object value = section.GetType().GetProperty(parameter.Name!)!.GetValue(section)!;
            string key = SettingsSchema.Kebab(parameter.Name!);
            if (SettingsSchema.IsSection(parameter.ParameterType))
            {
                WriteSection(text, key, value, inner);
            }
            else
            {
                text.Append(inner).Append(key).Append(" = ").Append(SettingText.Format(value)).Append('\n');
            }
        }

        text.Append(indent).Append("}\n");
    }
}
