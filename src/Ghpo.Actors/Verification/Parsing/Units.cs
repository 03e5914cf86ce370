using System.Collections.Frozen;

namespace Ghpo.Verification.Parsing;

/// <summary>Known units: how they are written, and the one name that each is compared by.</summary>
internal static class Units
{
    private const string Table = """
        cm: centimeter centimeters centimetre centimetres
        mm: millimeter millimeters millimetre millimetres
        km: kilometer kilometers kilometre kilometres
        m: meter meters metre metres
        dm: decimeter decimeters
        in: inch inches
        ft: foot feet
        yd: yard yards
        mi: mile miles
        kg: kilogram kilograms kilo kilos
        g: gram grams gm gms
        mg: milligram milligrams
        lb: lbs
        pound: pounds
        oz: ounce ounces
        ton: tons tonne tonnes
        l: liter liters litre litres L
        ml: milliliter milliliters millilitre mL
        gal: gallon gallons
        qt: quart quarts
        s: sec secs second seconds
        min: mins minute minutes
        h: hr hrs hour hours
        day: days
        week: weeks
        month: months
        yr: year years
        mph: 
        km/h: kph kmh kmph
        dollar: dollars usd
        cent: cents
        euro: euros eur
        pound sterling: gbp
        yen: jpy
        rupee: rupees rs inr
        acre: acres
        hectare: hectares ha
        degree: degrees deg
        radian: radians rad
        percent: pct
        unit: units
        am: a.m. a.m
        pm: p.m. p.m
        Hz: hertz
        J: joule joules
        W: watt watts
        V: volt volts
        N: newton newtons
        Pa: pascal pascals
        M_odot:
        L_odot:
        R_odot:
        mol: moles mole
        K: kelvin
        kW: kilowatt kilowatts
        kWh: kilowatt-hour kilowatt-hours
        kJ: kilojoule kilojoules
        kN: kilonewton kilonewtons
        kPa: kilopascal kilopascals
        MHz: megahertz
        kHz: kilohertz
        GHz: gigahertz
        nm: nanometer nanometers nanometre nanometres
        GB: gigabyte gigabytes
        MB: megabyte megabytes
        KB: kilobyte kilobytes
        pt: pint pints
        tsp: teaspoon teaspoons
        tbsp: tablespoon tablespoons
        rpm:
        C: celsius
        F: fahrenheit
        """;

    private static readonly FrozenDictionary<string, string> Canonical = Read();

    /// <summary>The canonical name of a unit, "" if the text is none. Powers, "square", "cubic", "per" and "/" are understood.</summary>
    public static string Of(string text)
    {
        string[] parts = text.Replace("/", " per ", StringComparison.Ordinal).Split([' ', '\t', '\n', '~', '·'], StringSplitOptions.RemoveEmptyEntries);
        var unit = new List<string>();
        string power = "";
        foreach (string part in parts)
        {
            switch (part.ToLowerInvariant())
            {
                case "square" or "sq" or "sq.":
                    power = "^2";
                    continue;
                case "cubic" or "cu":
                    power = "^3";
                    continue;
                case "squared":
                    power = "^2";
                    break;
                case "cubed":
                    power = "^3";
                    break;
                case "per" or "each" or "a" or "an":
                    unit.Add("/");
                    continue;
                default:
                    string name = part.TrimEnd('.', ',', ';', '!');
                    int caret = name.IndexOfAny(['^', '²', '³']);
                    if (caret > 0)
                    {
                        power = name[caret] == '²' ? "^2" : name[caret] == '³' ? "^3" : "^" + name[(caret + 1)..].Trim('{', '}');
                        name = name[..caret];
                    }

                    if (NameOf(part) is not { Length: > 0 } known && (known = NameOf(name)).Length == 0)
                    {
                        return "";
                    }

                    unit.Add(known);
                    break;
            }

            if (power.Length > 0 && unit.Count > 0)
            {
                unit[^1] = !power.StartsWith("^-", StringComparison.Ordinal) ? unit[^1] + power : "/" + unit[^1] + (power == "^-1" ? "" : "^" + power[2..]);
                power = "";
            }
        }

        string joined = unit is ["degree", "C" or "F" or "K"] ? unit[1] : string.Concat(unit);
        return joined == "mi/h" ? "mph" : joined;
    }

    /// <summary>The unit that a comment names: 20 percent of them, 30 (in degrees). "" where it names none.</summary>
    public static string Within(string[] words) =>
        words.Contains("percent") || words.Contains("%") ? "percent" : words.Contains("degrees") ? "degree" : words.Contains("radians") ? "radian" : "";

    /// <summary>Pounds are a weight or a currency.</summary>
    public static bool Agree(string a, string b) => a == b || (a, b) is ("pound", "lb" or "pound sterling") or ("lb" or "pound sterling", "pound");

    /// <summary>A speed, acceleration or density: letters behind a number that are hardly anything else.</summary>
    public static bool IsRate(string unit) => unit is "m/s" or "m/s^2" or "km/h" or "km/s" or "cm/s" or "ft/s" or "m/min" or "kg/m^3" or "g/cm^3" or "mph" or "M_odot" or "L_odot" or "R_odot";

    /// <summary>The currency whose code or abbreviation stands before amounts, or null.</summary>
    public static string? CurrencyCode(string run) => run is "USD" or "EUR" or "GBP" or "JPY" or "INR" or "Rs" ? NameOf(run) : null;

    /// <summary>True for a run of two letters or more that is a unit.</summary>
    public static bool IsUnit(string word) => word.Length > 1 && NameOf(word).Length > 0;

    private static string NameOf(string word) =>
        Canonical.TryGetValue(word, out string? exact) ? exact
        : word.Length > 1 && Canonical.TryGetValue(word.ToLowerInvariant(), out string? lower) ? lower : "";

    private static FrozenDictionary<string, string> Read()
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string line in Table.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Trim().Split(": ");
            string canonical = parts[0].TrimEnd(':');
            names[canonical] = canonical;
            foreach (string other in parts.Length > 1 ? parts[1].Split(' ', StringSplitOptions.RemoveEmptyEntries) : [])
            {
                names[other] = canonical;
            }
        }

        return names.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
