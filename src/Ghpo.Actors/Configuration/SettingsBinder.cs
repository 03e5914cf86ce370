using System.Reflection;

namespace Ghpo.Configuration;

/// <summary>
/// Binds configuration to <see cref="GhpoSettings"/>: the built-in reference.conf, over it a file, over it the command line. Every key
/// must be known and every value of its type and in its range; all that is wrong is reported at once.
/// </summary>
public static class SettingsBinder
{
    public const string ReferenceName = "reference.conf";

    /// <summary>The text of the built-in reference.conf.</summary>
    public static string ReferenceText { get; } = ReadReference();

    /// <param name="file">Configuration file, or null for none.</param>
    /// <param name="overrides">Settings of the command line, later ones win.</param>
    /// <exception cref="UserErrorException">One line for each thing that is wrong, with file, line, key and nearest valid key.</exception>
    public static GhpoSettings Load(string? file, IEnumerable<SettingOverride> overrides)
    {
        if (file is not null && !File.Exists(file))
        {
            throw new UserErrorException($"{file}: no such configuration file (looked for {Path.GetFullPath(file)})");
        }

        return Bind(file is null ? [] : HoconReader.Read(file, File.ReadAllText(file)), overrides);
    }

    /// <summary>As <see cref="Load"/>, from text.</summary>
    public static GhpoSettings Parse(string source, string text, params IEnumerable<SettingOverride> overrides) =>
        Bind(HoconReader.Read(source, text), overrides);

    private static GhpoSettings Bind(IEnumerable<HoconEntry> file, IEnumerable<SettingOverride> overrides)
    {
        var problems = new List<string>();
        var known = SettingsSchema.Keys.ToDictionary(key => key.Path, StringComparer.Ordinal);
        var inForce = new Dictionary<string, (HoconEntry Entry, int Layer)>(StringComparer.Ordinal);
        IEnumerable<HoconEntry>[] layers = [HoconReader.Read(ReferenceName, ReferenceText), file, overrides.Select(one => one.ToEntry())];
        for (int layer = 0; layer < layers.Length; layer++)
        {
            foreach (HoconEntry entry in layers[layer])
            {
                if (known.ContainsKey(entry.Path))
                {
                    inForce[entry.Path] = (entry, layer);
                }
                else if (WhatIsWrongWith(entry, known.Keys) is { } problem)
                {
                    problems.Add(problem);
                }
            }
        }

        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (SettingKey key in SettingsSchema.Keys)
        {
            if (!inForce.TryGetValue(key.Path, out (HoconEntry Entry, int Layer) found))
            {
                problems.Add($"{ReferenceName}: the key {key.Path} is missing");
                continue;
            }

            (object? value, string? problem) = key.Parse(found.Entry.Value);
            if (problem is null)
            {
                values.Add(key.Path, value!);
            }
            else
            {
                problems.Add($"{found.Entry.Place}: {key.Path} = {found.Entry.Value} {problem}");
            }
        }

        if (problems.Count > 0)
        {
            throw new UserErrorException(string.Join('\n', problems));
        }

        var settings = (GhpoSettings)Build(SettingsSchema.Root, typeof(GhpoSettings), values);
        foreach (SettingsConflict conflict in SettingsRules.Check(settings))
        {
            // Of the keys that do not fit together, blame the one that the user wrote last.
            HoconEntry culprit = conflict.Keys.Select(key => inForce[key]).MaxBy(found => found.Layer).Entry;
            problems.Add($"{culprit.Place}: {culprit.Path} = {culprit.Value}: {conflict.Problem}");
        }

        return problems.Count == 0 ? settings : throw new UserErrorException(string.Join('\n', problems));
    }

    private static string? WhatIsWrongWith(HoconEntry entry, IEnumerable<string> known)
    {
        string[] inside = [.. known.Where(key => key.StartsWith(entry.Path + ".", StringComparison.Ordinal))];
        if (entry.Value is HoconValue.Section)
        {
            // The keys of an unknown section are reported one by one.
            return null;
        }

        if (inside.Length > 0)
        {
            return $"{entry.Place}: {entry.Path} is a section, not a value; its keys are {string.Join(", ", inside)}";
        }

        string hint = Nearest.To(entry.Path, known) is { } nearest ? $"; did you mean {nearest}?" : "; `ghpo config` lists the valid keys";
        return $"{entry.Place}: unknown key {entry.Path}{hint}";
    }

    private static object Build(string path, Type section, Dictionary<string, object> values)
    {
        ConstructorInfo constructor = SettingsSchema.ConstructorOf(section);
        return constructor.Invoke([.. constructor.GetParameters().Select(parameter =>
        {
            string below = $"{path}.{SettingsSchema.Kebab(parameter.Name!)}";
            return SettingsSchema.IsSection(parameter.ParameterType) ? Build(below, parameter.ParameterType, values) : values[below];
        })]);
    }

    private static string ReadReference()
    {
        using Stream stream = typeof(SettingsBinder).Assembly.GetManifestResourceStream(ReferenceName)
            ?? throw new InvalidOperationException($"{ReferenceName} is not embedded in {typeof(SettingsBinder).Assembly.GetName().Name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
