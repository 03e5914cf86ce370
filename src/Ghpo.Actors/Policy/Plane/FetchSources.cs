namespace Ghpo.Policy.Plane;

/// <summary>How an attempt to get a chunk from a source ended.</summary>
internal enum FetchOutcome
{
    Verified,

    /// <summary>It sent other bytes than the manifest says.</summary>
    Lied,

    /// <summary>It does not hold the policy.</summary>
    Gone,

    /// <summary>It has no time, or not that chunk yet.</summary>
    Busy,

    /// <summary>No answer as a plane gives it, or one that broke off.</summary>
    Broken,

    /// <summary>Nothing came for as long as anybody waits: a frozen process, or a link that is cut.</summary>
    Silent,

    /// <summary>No connection came about.</summary>
    Unreached,
}

/// <summary>
/// The sources of one fetch and what became of each. No I/O; the clock is handed in. Not thread-safe.
/// <code>
/// usable ─── Broken, Busy ──▶ resting (0.1 s, doubled each time) ──▶ usable       a verified chunk clears what was held against it
///    │                              └── after 3 in a row ──▶ left                 Gone, Silent, Unreached ──▶ left at once
///    └── Lied ──▶ banned, for the whole fetch                                     a left one may be offered again, a banned one may not
/// </code>
/// </summary>
internal sealed class FetchSources(TimeProvider time)
{
    private const int FailuresToLeave = 3;
    private static readonly TimeSpan _firstRest = TimeSpan.FromSeconds(0.1);

    private readonly Dictionary<Uri, Source> _sources = [];

    /// <summary>Those that are not to be offered again: left and banned ones.</summary>
    public IReadOnlyCollection<Uri> Failed => [.. _sources.Values.Where(source => source.Left || source.Banned).Select(source => source.Plane)];

    public bool AnyUsable => _sources.Values.Any(source => source.Usable);

    /// <summary>True if one of them can be used.</summary>
    public bool Offer(IEnumerable<Uri> planes)
    {
        foreach (Uri plane in planes)
        {
            if (!_sources.TryGetValue(plane, out Source? source))
            {
                _sources.Add(plane, new Source(plane, _sources.Count));
            }
            else if (source.Left)
            {
                source.Left = false;
                source.Failures = 0;
            }
        }

        return AnyUsable;
    }

    /// <summary>The usable source with the fewest chunks on the way; else null and how long the first of them still rests.</summary>
    public (Uri? Plane, TimeSpan Wait) Take()
    {
        long now = time.GetTimestamp();
        Source? ready = _sources.Values.Where(source => source.Usable && source.RestsUntil <= now)
            .OrderBy(source => source.OnTheWay).ThenBy(source => source.Order).FirstOrDefault();
        if (ready is not null)
        {
            ready.OnTheWay++;
            return (ready.Plane, TimeSpan.Zero);
        }

        return (null, time.GetElapsedTime(now, _sources.Values.Where(source => source.Usable).Select(source => source.RestsUntil).DefaultIfEmpty(now).Min()));
    }

    public void Report(Uri plane, FetchOutcome outcome, string what)
    {
        Source source = _sources[plane];
        source.OnTheWay--;
        if (outcome == FetchOutcome.Verified)
        {
            source.Failures = 0;
            return;
        }

        source.Last = what;
        source.Failures++;
        source.Banned |= outcome == FetchOutcome.Lied;
        source.Left |= outcome is FetchOutcome.Gone or FetchOutcome.Silent or FetchOutcome.Unreached || source.Failures >= FailuresToLeave;
        TimeSpan rest = _firstRest * (1 << Math.Min(source.Failures - 1, 5));
        source.RestsUntil = time.GetTimestamp() + (long)(rest.TotalSeconds * time.TimestampFrequency);
    }

    /// <summary>What happened with each, for an error message.</summary>
    public override string ToString() => string.Join("; ", _sources.Values.OrderBy(source => source.Order)
        .Select(source => $"{source.Plane}: {(source.Last.Length == 0 ? "no complaint" : source.Last)}{(source.Banned ? " (banned)" : "")}"));

    private sealed class Source(Uri plane, int order)
    {
        public Uri Plane { get; } = plane;

        public int Order { get; } = order;

        public int OnTheWay { get; set; }

        public int Failures { get; set; }

        public long RestsUntil { get; set; }

        public bool Left { get; set; }

        public bool Banned { get; set; }

        public string Last { get; set; } = "";

        public bool Usable => !Left && !Banned;
    }
}
