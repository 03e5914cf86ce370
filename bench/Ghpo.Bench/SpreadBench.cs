using System.Collections.Immutable;
using System.Globalization;
using Ghpo.Policy.Plane;

namespace Ghpo.Bench;

/// <summary>
/// How the time until all workers have a policy grows with their number, in virtual time: the real <see cref="PolicyDirectory"/> says who fetches from whom; links are
/// simulated.
/// <code>ghpo-bench spread [--chunks N] [--connections N]</code>
/// Every plane, the learner's too, has one link that sends, and one that receives, a chunk in one unit of time, first come first served. A worker asks for its chunks in
/// order, some at a time, each from that of its sources which has fewest of its requests; a source that has not got the chunk yet sends it when it has. All workers ask at
/// the same instant. Printed in units of the time that one copy takes on one link.
/// </summary>
public static class SpreadBench
{
    private static readonly int[] Counts = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000];
    private static readonly Uri _learner = new("http://learner/");

    public static int Run(string[] args)
    {
        var arguments = new Arguments("spread", args, "--chunks", "--connections");
        int chunks = arguments.Number("--chunks", 256);
        int connections = arguments.Number("--connections", 4);
        Console.WriteLine($"{chunks} chunks, {connections} connections a worker");
        Console.WriteLine("workers  all have it after  most copies sent by one plane  sent by the learner  if the learner sent all");
        foreach (int workers in Counts)
        {
            (double time, double most, double learner) = Simulate(workers, chunks, connections);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{workers,7}  {time,17:F2}  {most,29:F2}  {learner,19:F2}  {workers,23:F2}"));
        }

        return 0;
    }

    private static (double Time, double Most, double Learner) Simulate(int workers, int chunks, int connections)
    {
        var directory = new PolicyDirectory(_learner, kept: 2);
        directory.Publish("p");
        Dictionary<Uri, Plane> planes = [];
        planes.Add(_learner, new Plane(chunks, whole: true));
        Uri[] names = [.. Enumerable.Range(0, workers).Select(i => new Uri($"http://worker-{i}/"))];
        foreach (Uri name in names)
        {
            planes.Add(name, new Plane(chunks, whole: false));
        }

        foreach (Uri name in names)
        {
            planes[name].Sources = [.. directory.Ask("p", name, []).Select(source => planes[source])];
        }

        var events = new PriorityQueue<Action, (double Time, long Order)>();
        double now = 0;
        long order = 0;
        void At(double time, Action action) => events.Enqueue(action, (time, order++));

        void Send(Plane from, Plane to, int chunk, int source)
        {
            from.SendsUntil = Math.Max(from.SendsUntil, now) + 1;
            from.Sent++;
            At(from.SendsUntil, () =>
            {
                // A receiver takes a chunk in while it is sent; it is busy for as long only if two send at once.
                to.ReceivesUntil = Math.Max(to.ReceivesUntil + 1, now);
                At(to.ReceivesUntil, () => Arrive(to, chunk, source));
            });
        }

        void Arrive(Plane at, int chunk, int source)
        {
            at.Has[chunk] = true;
            at.OnTheWay[source]--;
            at.Missing--;
            if (at.Awaited.Remove(chunk, out List<(Plane To, int Source)>? children))
            {
                foreach ((Plane child, int childSource) in children)
                {
                    Send(at, child, chunk, childSource);
                }
            }

            Ask(at);
        }

        void Ask(Plane worker)
        {
            if (worker.Next == chunks)
            {
                return;
            }

            int source = worker.OnTheWay[0] <= worker.OnTheWay[^1] || worker.Sources.Length == 1 ? 0 : 1;
            int chunk = worker.Next++;
            worker.OnTheWay[source]++;
            Plane from = worker.Sources[source];
            if (from.Has[chunk])
            {
                Send(from, worker, chunk, source);
                return;
            }

            if (!from.Awaited.TryGetValue(chunk, out List<(Plane To, int Source)>? children))
            {
                from.Awaited.Add(chunk, children = []);
            }

            children.Add((worker, source));
        }

        foreach (Uri name in names)
        {
            for (int i = 0; i < connections; i++)
            {
                Ask(planes[name]);
            }
        }

        while (events.TryDequeue(out Action? action, out (double Time, long Order) at))
        {
            now = at.Time;
            action();
        }

        return planes.Values.All(plane => plane.Missing == 0)
            ? (now / chunks, planes.Values.Max(plane => plane.Sent) / (double)chunks, planes[_learner].Sent / (double)chunks)
            : throw new InvalidOperationException("Some workers wait for ever.");
    }

    private sealed class Plane(int chunks, bool whole)
    {
        public bool[] Has { get; } = [.. Enumerable.Repeat(whole, chunks)];

        public int Missing { get; set; } = whole ? 0 : chunks;

        public ImmutableArray<Plane> Sources { get; set; } = [];

        public int[] OnTheWay { get; } = new int[2];

        public int Next { get; set; }

        public int Sent { get; set; }

        public double SendsUntil { get; set; }

        public double ReceivesUntil { get; set; }

        public Dictionary<int, List<(Plane To, int Source)>> Awaited { get; } = [];
    }
}
