using System.Collections.Frozen;

namespace Ghpo.Verification.Parsing;

/// <summary>The names that mean something in an answer, in LaTeX and in plain text.</summary>
internal static class Vocabulary
{
    /// <summary>Functions by the names they are written under; the value is the evaluator's name.</summary>
    private static readonly FrozenDictionary<string, string> Functions = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["sin"] = "sin",
        ["cos"] = "cos",
        ["tan"] = "tan",
        ["cot"] = "cot",
        ["sec"] = "sec",
        ["csc"] = "csc",
        ["tg"] = "tan",
        ["ctg"] = "cot",
        ["cosec"] = "csc",
        ["arcsin"] = "arcsin",
        ["arccos"] = "arccos",
        ["arctan"] = "arctan",
        ["arccot"] = "arccot",
        ["arcsec"] = "arcsec",
        ["arccsc"] = "arccsc",
        ["arctg"] = "arctan",
        ["asin"] = "arcsin",
        ["acos"] = "arccos",
        ["atan"] = "arctan",
        ["acot"] = "arccot",
        ["asec"] = "arcsec",
        ["acsc"] = "arccsc",
        ["sinh"] = "sinh",
        ["cosh"] = "cosh",
        ["tanh"] = "tanh",
        ["coth"] = "coth",
        ["sech"] = "sech",
        ["csch"] = "csch",
        ["sh"] = "sinh",
        ["ch"] = "cosh",
        ["th"] = "tanh",
        ["arsinh"] = "arsinh",
        ["arcosh"] = "arcosh",
        ["artanh"] = "artanh",
        ["arcsinh"] = "arsinh",
        ["arccosh"] = "arcosh",
        ["arctanh"] = "artanh",
        ["asinh"] = "arsinh",
        ["acosh"] = "arcosh",
        ["atanh"] = "artanh",
        ["log"] = "log",
        ["ln"] = "ln",
        ["lg"] = "lg",
        ["lb"] = "lb",
        ["exp"] = "exp",
        ["abs"] = "abs",
        ["Abs"] = "abs",
        ["floor"] = "floor",
        ["ceil"] = "ceil",
        ["ceiling"] = "ceil",
        ["min"] = "min",
        ["max"] = "max",
        ["Min"] = "min",
        ["Max"] = "max",
        ["Mod"] = "mod",
        ["gcd"] = "gcd",
        ["lcm"] = "lcm",
        ["GCD"] = "gcd",
        ["LCM"] = "lcm",
        ["binomial"] = "binomial",
        ["binom"] = "binomial",
        ["factorial"] = "factorial",
        ["det"] = "det",
        ["sgn"] = "sgn",
        ["sign"] = "sgn",
        ["Re"] = "Re",
        ["Im"] = "Im",
        ["arg"] = "arg",
        ["Arg"] = "arg",
        ["sqrt"] = "sqrt",
        ["cbrt"] = "cbrt",
        ["deg"] = "deg",
        ["dim"] = "dim",
        ["tr"] = "tr",
        ["cis"] = "cis",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> PlainNames = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["pi"] = "pi",
        ["Pi"] = "pi",
        ["PI"] = "pi",
        ["inf"] = "infty",
        ["infinity"] = "infty",
        ["Infinity"] = "infty",
        ["infty"] = "infty",
        ["oo"] = "infty",
        ["mod"] = "bmod",
        ["union"] = "cup",
        ["cup"] = "cup",
        ["cap"] = "cap",
        ["pm"] = "pm",
        ["times"] = "times",
        ["nan"] = "nan",
        ["NaN"] = "nan",
        ["NAN"] = "nan",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>LaTeX commands that others mean too.</summary>
    private static readonly FrozenDictionary<string, string> Commands = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["R"] = "mathbbR",
        ["N"] = "mathbbN",
        ["Z"] = "mathbbZ",
        ["Q"] = "mathbbQ",
        ["C"] = "mathbbC",
        ["varepsilon"] = "epsilon",
        ["varphi"] = "phi",
        ["vartheta"] = "theta",
        ["varrho"] = "rho",
        ["infin"] = "infty",
        ["surd"] = "sqrt",
        ["dotsc"] = "ldots",
        ["dotsb"] = "cdots",
        ["textdegree"] = "degree",
        ["cdotp"] = "cdot",
        ["leqslant"] = "le",
        ["geqslant"] = "ge",
        ["nicefrac"] = "frac",
        ["sfrac"] = "frac",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Short words; longer runs of letters are words anyhow.</summary>
    private static readonly FrozenSet<string> ShortWords = new[]
    {
        "yes", "no", "odd", "all", "any", "not", "one", "two", "six", "ten", "red", "the", "is", "its", "are", "was", "of", "for", "per", "if", "at", "to", "by", "it", "both",
        "won", "day", "way", "cat", "dog", "boy", "man", "men", "car", "bag", "box", "cup", "pen", "win", "lot", "sum", "few", "off", "non", "nor", "but", "may", "who",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Words behind a number that make it another number, or no number.</summary>
    private static readonly FrozenSet<string> Qualifiers = new[]
    {
        "not", "no", "or", "and", "more", "less", "fewer", "least", "most", "greater", "than", "between", "about", "approximately", "around", "nearly", "almost", "over", "under",
        "above", "below", "half", "third", "quarter", "hundred", "thousand", "million", "billion", "trillion", "dozen", "times", "squared", "cubed", "plus", "minus", "mod", "base",
        "million.", "if", "when", "unless", "except", "wrong", "incorrect", "to", "through", "divided", "remainder", "power", "root", "point", "factorial", "percentage",
        "halves", "thirds", "fourths", "fifths", "sixths", "sevenths", "eighths", "ninths", "tenths", "tenth", "hundredth", "hundredths", "thousandth", "thousandths", "millionths",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, int> Magnitudes = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase)
    {
        ["hundred"] = 2,
        ["thousand"] = 3,
        ["million"] = 6,
        ["billion"] = 9,
        ["trillion"] = 12,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The name that a command is read by.</summary>
    public static string CommandOf(string name) => Commands.GetValueOrDefault(name, name);

    public static string? FunctionOf(string name) => Functions.GetValueOrDefault(name);

    public static string? PlainNameOf(string name) => PlainNames.GetValueOrDefault(name);

    public static bool IsShortWord(string run) => ShortWords.Contains(run) || (char.IsAsciiLetterUpper(run[0]) && ShortWords.Contains(char.ToLowerInvariant(run[0]) + run[1..]));

    public static bool IsQualifier(string word) => Qualifiers.Contains(word);

    /// <summary>The power of ten that a word multiplies the number before it with.</summary>
    public static int? MagnitudeOf(string word) => Magnitudes.TryGetValue(word, out int exponent) ? exponent : null;

    /// <summary>Environments that set one formula, or formulas below each other, lined up by &amp;.</summary>
    public static bool IsDisplay(string environment) => environment.TrimEnd('*') is "equation" or "align" or "aligned" or "alignat" or "alignedat" or "flalign" or "gather" or "gathered" or "multline"
        or "split" or "eqnarray" or "displaymath" or "math";

    /// <summary>A name as a whole in plain text, of a function, a constant or a connective.</summary>
    public static bool IsName(string run) => run is "and" or "or" or "AND" or "OR" || Functions.ContainsKey(run) || PlainNames.ContainsKey(run);
}
