using System.Reflection;
using System.Text;

namespace Ghpo.Configuration;

/// <summary>The keys that <see cref="GhpoSettings"/> and the records below it ask for, in their order.</summary>
public static class SettingsSchema
{
    /// <summary>The section that holds everything.</summary>
    public const string Root = "ghpo";

    /// <summary>Every key, sections left out.</summary>
    public static IReadOnlyList<SettingKey> Keys { get; } = [.. KeysBelow(Root, typeof(GhpoSettings))];

    /// <summary>True for a record of settings, which is a section in HOCON; false for a value.</summary>
    public static bool IsSection(Type type) => type.IsClass && type.Namespace?.StartsWith("Ghpo", StringComparison.Ordinal) == true;

    /// <summary>The one public constructor of a settings record; its parameters are the record's properties.</summary>
    public static ConstructorInfo ConstructorOf(Type section) =>
        section.GetConstructors().Single(constructor => constructor.GetParameters() is not [{ ParameterType: var only }] || only != section);

    /// <summary><c>HeldOutProblems</c> → <c>held-out-problems</c>; digits stay with the word before them.</summary>
    public static string Kebab(string name)
    {
        var kebab = new StringBuilder(name.Length + 4);
        for (int i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsUpper(name[i]))
            {
                kebab.Append('-');
            }

            kebab.Append(char.ToLowerInvariant(name[i]));
        }

        return kebab.ToString();
    }

    private static IEnumerable<SettingKey> KeysBelow(string path, Type section)
    {
        foreach (ParameterInfo parameter in ConstructorOf(section).GetParameters())
        {
            string below = $"{path}.{Kebab(parameter.Name!)}";
            if (IsSection(parameter.ParameterType))
            {
                foreach (SettingKey key in KeysBelow(below, parameter.ParameterType))
                {
                    yield return key;
                }
            }
            else
            {
                yield return new SettingKey(below, section.GetProperty(parameter.Name!)!);
            }
        }
    }
}
