using static TorchSharp.torch;

namespace Ghpo.Models;

/// <summary>
/// The tensors of one call of a custom function's backward. libtorch takes references of its own to what is returned, after the call; the wrappers of gradients received and returned would
/// otherwise stay until the scope of the whole step ends, and with them the memory of every layer's gradients. So those returned live until the thread's next call.
/// </summary>
internal sealed class BackwardScope : IDisposable
{
    [ThreadStatic]
    private static Tensor?[]? _returned;

    private readonly IDisposable _scope = NewDisposeScope();
    private readonly autograd.AutogradContext _context;
    private readonly Tensor[] _received;

    /// <param name="context">The call's; what forward saved in it goes with this, as torch's own functions do it, instead of with the graph. So backward runs once.</param>
    /// <param name="received">Gradients of the outputs, invalid where there is none; disposed with this.</param>
    internal BackwardScope(autograd.AutogradContext context, params Tensor[] received)
    {
        _context = context;
        _received = received;
        Forget();
    }

    /// <summary>What backward returns: a gradient an input, null where there is none.</summary>
    internal static List<Tensor> Return(params Tensor?[] gradients)
    {
        // A call inside this one may have left some.
        Forget();
        _returned = [.. gradients.Select(gradient => gradient?.DetachFromDisposeScope())];
        return [.. _returned.Select(gradient => gradient!)];
    }

    public void Dispose()
    {
        _scope.Dispose();
        _context.Dispose();
        foreach (Tensor tensor in _received.Where(tensor => !tensor.IsInvalid))
        {
            tensor.Dispose();
        }
    }

    private static void Forget()
    {
        Array.ForEach(_returned ?? [], tensor => tensor?.Dispose());
        _returned = null;
    }
}
