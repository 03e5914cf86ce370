using System.Collections.Immutable;

namespace Ghpo.Configuration;

/// <summary>A key of a configuration text, its value, and where it stands.</summary>
/// <param name="Path">Full dotted path, quotes taken off.</param>
/// <param name="Value">The value as written, quotes taken off.</param>
/// <param name="Place"><c>file:line</c>, or the command-line option that gave it.</param>
/// <param name="Comment">The comment lines directly above the key, joined with spaces; "" where there are none.</param>
public sealed record HoconEntry(string Path, HoconValue Value, string Place, string Comment = "");

/// <summary>What stands behind a key.</summary>
public abstract record HoconValue
{
    private HoconValue()
    {
    }

    /// <summary>A number, word or string. <paramref name="Quoted"/> tells "5" from 5 where text is shown again.</summary>
    public sealed record Scalar(string Text, bool Quoted) : HoconValue
    {
        public override string ToString() => Quoted ? $"\"{Text}\"" : Text;
    }

    /// <summary>A list of scalars.</summary>
    public sealed record List(ImmutableArray<Scalar> Items) : HoconValue
    {
        public override string ToString() => $"[{string.Join(", ", Items)}]";
    }

    /// <summary>The opening of a section; its keys follow as entries of their own.</summary>
    public sealed record Section : HoconValue
    {
        public override string ToString() => "{ … }";
    }
}
