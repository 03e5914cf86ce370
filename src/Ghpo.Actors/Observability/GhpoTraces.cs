using System.Diagnostics;

namespace Ghpo.Observability;

/// <summary>
/// Spans of groups. They last longer than the calls that begin and end them, on threads that many groups share, so none is ever the ambient
/// <see cref="Activity.Current"/>: a parent is named, in the text of W3C's traceparent, which also goes to other nodes.
/// </summary>
public static class GhpoTraces
{
    public const string Name = "Ghpo";

    private static readonly ActivitySource _source = new(Name, typeof(GhpoTraces).Assembly.GetName().Version?.ToString(3) ?? "");

    /// <param name="parent">Null: the span begins a trace of its own.</param>
    /// <returns>The span, to be stopped by whoever ends it; null while nobody listens, or where the parent is not sampled.</returns>
    public static Activity? Begin(string name, string? parent)
    {
        if (!_source.HasListeners())
        {
            return null;
        }

        Activity? ambient = Activity.Current;
        Activity.Current = null;
        try
        {
            ActivityContext context = default;
            return parent is null || ActivityContext.TryParse(parent, null, isRemote: true, out context)
                ? _source.StartActivity(name, ActivityKind.Internal, context)
                : null;
        }
        finally
        {
            Activity.Current = ambient;
        }
    }

    /// <summary>Ends a span; with a failure, as failed.</summary>
    public static void End(this Activity span, Exception? failure = null)
    {
        if (failure is not null)
        {
            span.SetStatus(ActivityStatusCode.Error, failure.Message);
        }

        Activity? ambient = Activity.Current;
        span.Dispose();
        Activity.Current = ambient;
    }
}
