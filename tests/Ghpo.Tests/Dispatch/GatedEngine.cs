using System.Collections.Concurrent;
using Ghpo.Policy;
using Ghpo.Rollout;

namespace Ghpo.Tests.Dispatch;

/// <summary>An engine without a model that finishes its groups when the test lets it, and keeps a record of what it was told.</summary>
internal sealed class GatedEngine(int slots) : IGenerationEngine
{
    private readonly List<GenerationRequest> _running = [];
    private volatile bool _open;

    /// <summary>"load v0", "submit 0/1", "dispose", in order.</summary>
    public ConcurrentQueue<string> Record { get; } = [];

    /// <summary>Thrown by the next call of the given name: load, submit or step.</summary>
    public (string Call, Exception Failure)? Fails { get; set; }

    public int FreeSlots => slots - RunningSequences;

    public int RunningSequences => _running.Sum(request => request.Answers);

    public long TokensSampled => 0;

    /// <summary>From now on a step finishes all that runs.</summary>
    public void Open() => _open = true;

    public void LoadPolicy(PolicySnapshot policy)
    {
        FailIfTold("load");
        if (_running.Count > 0)
        {
            throw new InvalidOperationException("loaded while groups run");
        }

        Record.Enqueue($"load {policy.Version}");
    }

    public void SwitchPolicy(PolicySnapshot policy)
    {
        FailIfTold("load");
        Record.Enqueue($"switch to {policy.Version}");
    }

    public void Submit(GenerationRequest request)
    {
        FailIfTold("submit");
        _running.Add(request);
        Record.Enqueue($"submit {request.Tag}");
    }

    public void Withdraw(object tag)
    {
        _running.RemoveAll(request => request.Tag == tag);
        Record.Enqueue($"withdraw {tag}");
    }

    public IReadOnlyList<GenerationResult> Step()
    {
        FailIfTold("step");
        if (!_open)
        {
            // A token takes its time.
            Thread.Sleep(1);
            return [];
        }

        GenerationResult[] finished = [.. _running.Select(request => new GenerationResult(
            request.Tag, [.. Enumerable.Repeat(new Completion([65], [-1], FinishReason.Stopped), request.Answers)]))];
        _running.Clear();
        return finished;
    }

    public void Dispose() => Record.Enqueue("dispose");

    private void FailIfTold(string call)
    {
        if (Fails is { } told && told.Call == call)
        {
            throw told.Failure;
        }
    }
}
