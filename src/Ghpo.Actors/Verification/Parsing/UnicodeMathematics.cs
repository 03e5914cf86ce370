using System.Collections.Frozen;
using System.Globalization;

namespace Ghpo.Verification.Parsing;

/// <summary>
/// What mathematical characters outside of ASCII mean. An own table: Unicode's compatibility forms make x2 of x² and 31⁄2 of 3½.
/// Letters of other scripts that look like Latin ones stay what they are.
/// </summary>
internal static class UnicodeMathematics
{
    private const string Superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱˣʸᵃᵇᵏᵐᵗʳ";
    private const string SuperscriptMeanings = "0123456789+-()nixyabkmtr";
    private const string Subscripts = "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₙₐₓₖₘᵢⱼ";
    private const string SubscriptMeanings = "0123456789+-()naxkmij";

    private static readonly FrozenDictionary<char, string> Commands = new Dictionary<char, string>
    {
        ['×'] = "times",
        ['✕'] = "times",
        ['✖'] = "times",
        ['⨯'] = "times",
        ['⋅'] = "cdot",
        ['·'] = "cdot",
        ['∙'] = "cdot",
        ['•'] = "cdot",
        ['÷'] = "div",
        ['√'] = "sqrt",
        ['∛'] = "cbrt",
        ['∜'] = "fourthroot",
        ['∞'] = "infty",
        ['≤'] = "le",
        ['≥'] = "ge",
        ['≠'] = "ne",
        ['⩽'] = "le",
        ['⩾'] = "ge",
        ['≦'] = "le",
        ['≧'] = "ge",
        ['≈'] = "approx",
        ['∪'] = "cup",
        ['∩'] = "cap",
        ['∖'] = "setminus",
        ['∈'] = "in",
        ['∅'] = "emptyset",
        ['⌀'] = "emptyset",
        ['±'] = "pm",
        ['∓'] = "mp",
        ['⌊'] = "lfloor",
        ['⌋'] = "rfloor",
        ['⌈'] = "lceil",
        ['⌉'] = "rceil",
        ['⟨'] = "langle",
        ['⟩'] = "rangle",
        ['〈'] = "langle",
        ['〉'] = "rangle",
        ['∑'] = "sum",
        ['∏'] = "prod",
        ['∫'] = "int",
        ['∂'] = "partial",
        ['∇'] = "nabla",
        ['→'] = "to",
        ['⇒'] = "Rightarrow",
        ['↦'] = "mapsto",
        ['≡'] = "equiv",
        ['∼'] = "sim",
        ['≅'] = "cong",
        ['∠'] = "angle",
        ['△'] = "triangle",
        ['⊥'] = "perp",
        ['∥'] = "parallel",
        ['…'] = "ldots",
        ['⋯'] = "cdots",
        ['∧'] = "land",
        ['∨'] = "lor",
        ['¬'] = "lnot",
        ['⊂'] = "subset",
        ['⊆'] = "subseteq",
        ['∉'] = "notin",
        ['∣'] = "mid",
        ['‖'] = "|",
        ['ℝ'] = "R",
        ['ℕ'] = "N",
        ['ℤ'] = "Z",
        ['ℚ'] = "Q",
        ['ℂ'] = "C",
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<char, string> Fractions = new Dictionary<char, string>
    {
        ['½'] = "1/2",
        ['⅓'] = "1/3",
        ['⅔'] = "2/3",
        ['¼'] = "1/4",
        ['¾'] = "3/4",
        ['⅕'] = "1/5",
        ['⅖'] = "2/5",
        ['⅗'] = "3/5",
        ['⅘'] = "4/5",
        ['⅙'] = "1/6",
        ['⅚'] = "5/6",
        ['⅐'] = "1/7",
        ['⅛'] = "1/8",
        ['⅜'] = "3/8",
        ['⅝'] = "5/8",
        ['⅞'] = "7/8",
        ['⅑'] = "1/9",
        ['⅒'] = "1/10",
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<char, string> Currencies = new Dictionary<char, string>
    {
        ['€'] = "euro",
        ['£'] = "pound sterling",
        ['¥'] = "yen",
        ['₹'] = "rupee",
        ['¢'] = "cent",
        ['₽'] = "ruble",
        ['₩'] = "won",
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<char, string> Greek = new Dictionary<char, string>
    {
        ['α'] = "alpha",
        ['β'] = "beta",
        ['γ'] = "gamma",
        ['δ'] = "delta",
        ['ε'] = "epsilon",
        ['ϵ'] = "epsilon",
        ['ζ'] = "zeta",
        ['η'] = "eta",
        ['θ'] = "theta",
        ['ι'] = "iota",
        ['κ'] = "kappa",
        ['λ'] = "lambda",
        ['μ'] = "mu",
        ['µ'] = "mu",
        ['ν'] = "nu",
        ['ξ'] = "xi",
        ['ρ'] = "rho",
        ['σ'] = "sigma",
        ['τ'] = "tau",
        ['υ'] = "upsilon",
        ['φ'] = "phi",
        ['ϕ'] = "phi",
        ['χ'] = "chi",
        ['ψ'] = "psi",
        ['ω'] = "omega",
        ['Γ'] = "Gamma",
        ['Δ'] = "Delta",
        ['Θ'] = "Theta",
        ['Λ'] = "Lambda",
        ['Ξ'] = "Xi",
        ['Π'] = "Pi",
        ['Σ'] = "Sigma",
        ['Φ'] = "Phi",
        ['Ψ'] = "Psi",
        ['Ω'] = "Omega",
        ['\u2126'] = "Omega",
        ['\u2206'] = "Delta",
        ['ℓ'] = "ell",
    }.ToFrozenDictionary();

    /// <summary>The LaTeX command that means the same, or null.</summary>
    public static string? CommandOf(char c) => Commands.GetValueOrDefault(c);

    public static string? FractionOf(char c) => Fractions.GetValueOrDefault(c);

    public static string? CurrencyOf(char c) => Currencies.GetValueOrDefault(c);

    public static string? GreekOf(char c) => c == 'π' ? "pi" : Greek.GetValueOrDefault(c);

    public static bool IsGreekName(string name) => name is "varepsilon" or "varphi" or "vartheta" or "varrho" or "omicron" || Greek.Values.Contains(name);

    public static char? SuperscriptOf(char c) => Meaning(c, Superscripts, SuperscriptMeanings);

    public static char? SubscriptOf(char c) => Meaning(c, Subscripts, SubscriptMeanings);

    /// <summary>The ASCII character that the character shows, or itself: full-width forms, minus signs, quotes, spaces, letters of mathematics.</summary>
    public static char Plain(char c) => c switch
    {
        < '\u0080' => c,
        >= '\uFF01' and <= '\uFF5E' => (char)(c - 0xFEE0),
        '−' or '–' or '‐' or '‑' or '﹣' or '⁃' => '-',
        '∕' or '⁄' => '/',
        '∗' or '＊' => '*',
        '′' or '’' or '‘' => '\'',
        '“' or '”' => '"',
        '﹢' => '+',
        '∶' or '：' => ':',
        '，' or '、' => ',',
        '。' => '.',
        '﹪' => '%',
        '│' or '∣' => '|',
        'ℎ' => 'h',
        'ℯ' or 'ⅇ' => 'e',
        'ⅈ' => 'i',
        'ⅉ' => 'j',
        'ℊ' => 'g',
        'ℴ' => 'o',
        _ => char.IsWhiteSpace(c) || c == '\u2061' || c == '\u2062' ? ' ' : c,
    };

    /// <summary>Takes no room and no part in the meaning: zero-width characters, direction marks, byte order marks.</summary>
    public static bool IsInvisible(char c) =>
        c > '\u007F' && c is not ('\u2061' or '\u2062') && (char.GetUnicodeCategory(c) == UnicodeCategory.Format || c is '\uFE0E' or '\uFE0F' or '\u034F');

    /// <summary>The letter or digit of a mathematical alphabet (𝑥, 𝟙, …) in ASCII, or null.</summary>
    public static char? AlphanumericOf(int codePoint) => codePoint switch
    {
        >= 0x1D7CE and <= 0x1D7FF => (char)('0' + ((codePoint - 0x1D7CE) % 10)),
        >= 0x1D400 and <= 0x1D6A3 => LatinOf((codePoint - 0x1D400) % 52),
        _ => null,
    };

    /// <summary>The Greek letter of a mathematical alphabet (𝜋, 𝛼, …) by its name, or null.</summary>
    public static string? MathematicalGreekOf(int codePoint) => codePoint is < 0x1D6A8 or > 0x1D7CB ? null : ((codePoint - 0x1D6A8) % 58) switch
    {
        < 25 and var capital => GreekOf((char)(0x391 + capital)),
        > 25 and < 51 and var small => GreekOf((char)(0x3B1 + small - 26)),
        52 => "epsilon",
        55 => "phi",
        _ => null,
    };

    private static char LatinOf(int index) => index < 26 ? (char)('A' + index) : (char)('a' + index - 26);

    private static char? Meaning(char c, string characters, string meanings)
    {
        int index = c < '\u0080' ? -1 : characters.IndexOf(c, StringComparison.Ordinal);
        return index < 0 ? null : meanings[index];
    }
}
