using System.Collections;
using System.Globalization;
using System.Text;

namespace Ghpo.Configuration;

/// <summary>Values of settings to and from their text. What <see cref="Format"/> writes, <see cref="Parse"/> reads back as the same value.</summary>
internal static class SettingText
{
    private static readonly (string Name, TimeSpan Unit)[] Units =
    [
        ("d", TimeSpan.FromDays(1)), ("h", TimeSpan.FromHours(1)), ("m", TimeSpan.FromMinutes(1)), ("s", TimeSpan.FromSeconds(1)),
        ("ms", TimeSpan.FromMilliseconds(1)), ("us", TimeSpan.FromMicroseconds(1)), ("ns", default),
    ];

    public static string Describe(Type type) => type switch
    {
        _ when type == typeof(string) => "text",
        _ when type == typeof(bool) => "true or false",
        _ when type == typeof(int) || type == typeof(long) => "whole number",
        _ when type == typeof(double) => "number",
        _ when type == typeof(TimeSpan) => "duration, as in 500ms, 30s, 20m or 1.5h",
        _ when type.IsEnum => "one of " + string.Join(", ", Enum.GetNames(type).Select(SettingsSchema.Kebab)),
        _ when ElementOf(type) is { } element => $"list, each a {Describe(element)}",
        _ => throw new NotSupportedException($"A setting of type {type} has no text form; add one to {nameof(SettingText)}."),
    };

    public static (object? Value, string? Problem) Parse(Type type, HoconValue written)
    {
        if (ElementOf(type) is { } element)
        {
            return written is HoconValue.List list ? ParseList(element, list) : (null, "must be a list, as in [1, 2]");
        }

        return written is HoconValue.Scalar scalar ? ParseScalar(type, scalar) : (null, $"must be a {Describe(type)}");
    }

    /// <summary>The value as it is written in HOCON.</summary>
    public static string Format(object value) => value switch
    {
        string text => Quote(text),
        bool truth => truth ? "true" : "false",
        Enum choice => Quote(SettingsSchema.Kebab(choice.ToString())),
        TimeSpan duration => FormatDuration(duration),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        IEnumerable items => $"[{string.Join(", ", items.Cast<object>().Select(Format))}]",
        _ => throw new NotSupportedException($"A setting of type {value.GetType()} has no text form; add one to {nameof(SettingText)}."),
    };

    private static (object? Value, string? Problem) ParseScalar(Type type, HoconValue.Scalar scalar)
    {
        string text = scalar.Text;
        CultureInfo invariant = CultureInfo.InvariantCulture;
        object? value = type switch
        {
            _ when type == typeof(string) => text,
            _ when type == typeof(bool) => text switch { "true" or "on" or "yes" => true, "false" or "off" or "no" => false, _ => null },
            _ when type == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, invariant, out int number) ? number : null,
            _ when type == typeof(long) => long.TryParse(text, NumberStyles.AllowLeadingSign, invariant, out long number) ? number : null,
            _ when type == typeof(double) =>
                double.TryParse(text, NumberStyles.Float, invariant, out double number) && double.IsFinite(number) ? number : null,
            _ when type == typeof(TimeSpan) => ParseDuration(text),
            _ => ParseEnum(type, text),
        };
        if (value is not null)
        {
            return (value, null);
        }

        string nearest = type.IsEnum && Nearest.To(text, Enum.GetNames(type).Select(SettingsSchema.Kebab)) is { } name
            ? $"; did you mean {name}?"
            : "";
        return (null, $"must be {(type.IsEnum || type == typeof(bool) ? "" : "a ")}{Describe(type)}{nearest}");
    }

    private static (object? Value, string? Problem) ParseList(Type element, HoconValue.List list)
    {
        var items = Array.CreateInstance(element, list.Items.Length);
        for (int i = 0; i < list.Items.Length; i++)
        {
            (object? value, string? problem) = ParseScalar(element, list.Items[i]);
            if (problem is not null)
            {
                return (null, $"element {i + 1} ({list.Items[i]}) {problem}");
            }

            items.SetValue(value, i);
        }

        return (items, null);
    }

    private static object? ParseEnum(Type type, string text)
    {
        string Bare(string name) => name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);

        string? name = Enum.GetNames(type).FirstOrDefault(candidate => string.Equals(candidate, Bare(text), StringComparison.OrdinalIgnoreCase));
        return name is null ? null : Enum.Parse(type, name);
    }

    private static object? ParseDuration(string text)
    {
        int digits = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        string unit = text[digits..].Trim();
        if (!decimal.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal count))
        {
            return null;
        }

        // One tick is 100 ns.
        decimal ticks = unit switch
        {
            "d" or "day" or "days" => TimeSpan.TicksPerDay,
            "h" or "hour" or "hours" => TimeSpan.TicksPerHour,
            "m" or "minute" or "minutes" => TimeSpan.TicksPerMinute,
            "s" or "second" or "seconds" => TimeSpan.TicksPerSecond,
            "ms" or "millisecond" or "milliseconds" => TimeSpan.TicksPerMillisecond,
            "us" or "microsecond" or "microseconds" => TimeSpan.TicksPerMicrosecond,
            "ns" or "nanosecond" or "nanoseconds" => 0.01m,
            _ => 0,
        };
        decimal total = count > long.MaxValue ? -1 : count * ticks;
        return total is >= 1 and <= long.MaxValue ? TimeSpan.FromTicks((long)total) : null;
    }

    private static string FormatDuration(TimeSpan duration)
    {
        (string name, TimeSpan unit) = Units.First(candidate => candidate.Unit == default || duration.Ticks % candidate.Unit.Ticks == 0);
        return unit == default ? $"{duration.Ticks * 100}{name}" : $"{duration.Ticks / unit.Ticks}{name}";
    }

    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append("\\\\"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                < ' ' => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append('"').ToString();
    }

    private static Type? ElementOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;
}
