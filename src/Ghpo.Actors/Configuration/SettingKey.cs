using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Ghpo.Configuration;

/// <summary>A key of the configuration: a property of a settings record.</summary>
public sealed class SettingKey
{
    private readonly RangeAttribute? _range;

    internal SettingKey(string path, PropertyInfo property)
    {
        Path = path;
        Property = property;
        Type = property.PropertyType;
        _range = property.GetCustomAttribute<RangeAttribute>();
    }

    /// <summary>Dotted path in kebab case, <c>ghpo.rollout.group-size</c>.</summary>
    public string Path { get; }

    public PropertyInfo Property { get; }

    public Type Type { get; }

    /// <summary>What may stand there, in words: "whole number, at least 1".</summary>
    public string Accepts => _range is null ? SettingText.Describe(Type) : $"{SettingText.Describe(Type)}, {RangeInWords()}";

    /// <summary>The typed value, or what is wrong with it.</summary>
    public (object? Value, string? Problem) Parse(HoconValue written)
    {
        (object? value, string? problem) = SettingText.Parse(Type, written);
        return problem is null && _range is not null && !_range.IsValid(value) ? (null, $"must be {RangeInWords()}") : (value, problem);
    }

    private string RangeInWords()
    {
        double low = Convert.ToDouble(_range!.Minimum, CultureInfo.InvariantCulture);
        double high = Convert.ToDouble(_range.Maximum, CultureInfo.InvariantCulture);
        string from = (_range.MinimumIsExclusive ? "above " : "at least ") + low.ToString(CultureInfo.InvariantCulture);
        bool unbounded = high is int.MaxValue or >= long.MaxValue;
        return unbounded ? from : $"{from} and {(_range.MaximumIsExclusive ? "below" : "at most")} {high.ToString(CultureInfo.InvariantCulture)}";
    }
}
