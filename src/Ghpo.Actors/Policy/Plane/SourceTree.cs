using System.Collections.Immutable;

namespace Ghpo.Policy.Plane;

/// <summary>
/// Who fetches one policy from whom.
/// <code>
/// learner ─┬─▶ w1 ─┬─▶ w3, w4, …      a plane gives two copies away at a time and takes halves of one from two planes of the level above, so
///          └─▶ w2 ─┘                  levels double: N workers are log2 N levels deep, and chunks flow through all levels at once
/// </code>
/// A plane takes only from those that asked before it, or that have everything: nobody waits in a circle. One that has everything counts as the
/// top level, and is preferred to the learner. A source that two planes could not fetch from is given to nobody until it speaks up again.
/// </summary>
internal sealed class SourceTree
{
    /// <summary>Half copies that a plane gives away at a time.</summary>
    internal const int Capacity = 4;

    private const int Need = 2;
    private const int ReportsToLeave = 2;

    private readonly Dictionary<Uri, Node> _nodes = [];
    private readonly Node _learner;
    private int _asked;

    internal SourceTree(Uri learner)
    {
        _learner = new Node(learner, 0) { Whole = true };
        _nodes.Add(learner, _learner);
    }

    internal int Whole => _nodes.Values.Count(node => node.Whole);

    /// <summary>Half copies that each plane gives away now.</summary>
    internal IEnumerable<(Uri Plane, int Given, int Level)> Load => _nodes.Values.Select(node => (node.Plane, node.Given, node.Level));

    internal ImmutableArray<Uri> Ask(Uri plane, IReadOnlyCollection<Uri> failed)
    {
        if (plane == _learner.Plane)
        {
            return [];
        }

        if (!_nodes.TryGetValue(plane, out Node? asker))
        {
            asker = new Node(plane, ++_asked);
            _nodes.Add(plane, asker);
        }

        // It asks again because a source failed it, or because it lost what it had.
        asker.LetGo();
        asker.Whole = false;
        asker.Reports.Clear();
        foreach (Uri source in failed)
        {
            if (_nodes.TryGetValue(source, out Node? node) && node != _learner && node != asker)
            {
                node.Reports.Add(plane);
            }
        }

        Node[] candidates =
        [
            .. _nodes.Values
                .Where(node => (node.Whole || node.Order < asker.Order) && node.Given < Capacity && node.Reports.Count < ReportsToLeave && !failed.Contains(node.Plane))
                .OrderBy(node => node.Level).ThenBy(node => node == _learner).ThenBy(node => node.Given).ThenBy(node => node.Order),
        ];
        Take(asker, candidates);
        asker.Deepest = asker.Sources.Max(source => source.Level) + 1;
        return [.. asker.Sources.Distinct().Select(source => source.Plane)];
    }

    internal void NoteWhole(Uri plane)
    {
        if (_nodes.TryGetValue(plane, out Node? node) && node != _learner)
        {
            node.Whole = true;
            node.Reports.Clear();
            node.LetGo();
        }
    }

    internal void Forget(Uri plane)
    {
        if (plane != _learner.Plane && _nodes.Remove(plane, out Node? node))
        {
            node.LetGo();
        }
    }

    /// <summary>Two halves from two planes of the best level, or both from one if it is alone there; the learner if nobody has room.</summary>
    private void Take(Node asker, Node[] candidates)
    {
        if (candidates is [var alone, ..] && alone.Given + Need <= Capacity && (candidates.Length == 1 || candidates[1].Level > alone.Level || candidates[1] == _learner))
        {
            asker.TakeFrom(alone);
            asker.TakeFrom(alone);
            return;
        }

        foreach (Node source in candidates.Take(Need))
        {
            asker.TakeFrom(source);
        }

        while (asker.Sources.Count < Need)
        {
            asker.TakeFrom(asker.Sources.Count > 0 ? asker.Sources[0] : _learner);
        }
    }

    private sealed class Node(Uri plane, int order)
    {
        public Uri Plane { get; } = plane;

        public int Order { get; } = order;

        public bool Whole { get; set; }

        public int Given { get; private set; }

        public int Deepest { get; set; }

        public int Level => Whole ? 0 : Deepest;

        /// <summary>Those that could not fetch from here.</summary>
        public HashSet<Uri> Reports { get; } = [];

        /// <summary>One entry a half copy.</summary>
        public List<Node> Sources { get; } = [];

        public void TakeFrom(Node source)
        {
            Sources.Add(source);
            source.Given++;
        }

        public void LetGo()
        {
            foreach (Node source in Sources)
            {
                source.Given--;
            }

            Sources.Clear();
        }
    }
}
