namespace Ghpo.Configuration;

/// <summary>A setting of the command line.</summary>
/// <param name="Path">Path of the key; the leading <c>ghpo.</c> may be left out.</param>
/// <param name="Value">As it would stand in a file.</param>
/// <param name="Place">The option as the user wrote it, for error messages.</param>
public sealed record SettingOverride(string Path, string Value, string Place)
{
    /// <summary>Reads the argument of <c>--set path=value</c>.</summary>
    /// <exception cref="UserErrorException">There is no '='.</exception>
    public static SettingOverride Parse(string argument, string option = "--set")
    {
        int equals = argument.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? new SettingOverride(argument[..equals].Trim(), argument[(equals + 1)..], $"{option} {argument}")
            : throw new UserErrorException($"{option} {argument}: expected path=value, as in {option} ghpo.learning.rate=1e-4");
    }

    /// <summary>The path with its leading <c>ghpo.</c>.</summary>
    public string FullPath =>
        Path == SettingsSchema.Root || Path.StartsWith(SettingsSchema.Root + ".", StringComparison.Ordinal) ? Path : $"{SettingsSchema.Root}.{Path}";

    internal HoconEntry ToEntry() => new(FullPath, HoconReader.ReadValue(Place, Value), Place);
}
