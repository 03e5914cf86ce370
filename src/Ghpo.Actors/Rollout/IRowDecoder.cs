using static TorchSharp.torch;

namespace Ghpo.Rollout;

/// <summary>
/// Where the engine's sequences are computed. A row is a running sequence's place, 0 to R − 1; what it has cached belongs to it until it leaves. What a row
/// gets depends on its own tokens alone. One owner thread calls everything.
/// </summary>
internal interface IRowDecoder : IDisposable
{
    /// <summary>Rows there are.</summary>
    int Rows { get; }

    /// <summary>Copies weights in, while no row is in use.</summary>
    void Load(IReadOnlyDictionary<string, Tensor> weights, string source);

    /// <summary>Computes tokens at positions 0, 1, ... once and caches them for several rows.</summary>
    /// <param name="tokens">Without the one that is to be fed next; perhaps none.</param>
    /// <param name="row">The first of <paramref name="copies"/> rows, all of them free.</param>
    /// <param name="running">Rows in use. Each of them keeps room to go on for a while.</param>
    /// <returns>False: there is no memory for them now, and nothing has changed.</returns>
    bool TryEnter(ReadOnlySpan<int> tokens, int row, int copies, int running);

    /// <summary>Makes room for the row's next position.</summary>
    /// <returns>False: there is no memory for it now.</returns>
    bool TryReserve(int row, int position);

    /// <summary>Computes one token of each of the first rows and draws what follows it.</summary>
    void Decode(ReadOnlySpan<RowInput> inputs, Span<DrawnToken> drawn);

    /// <summary>Frees what a row has cached.</summary>
    void Leave(int row);

    /// <summary>Gives a row's cached positions to a free row.</summary>
    /// <param name="length">How many there are.</param>
    void Move(int from, int to, int length);

    /// <summary>Frees all rows and makes every cached number finite again.</summary>
    void Clear();
}

/// <param name="Token">The token to feed.</param>
/// <param name="Position">Where it stands.</param>
/// <param name="Uniform">u in (0, 1).</param>
/// <param name="Temperature">τ; 0 takes the most likely token.</param>
/// <param name="TopK">k, from 1 to V.</param>
/// <param name="TopP">p in (0, 1].</param>
internal readonly record struct RowInput(int Token, int Position, double Uniform, double Temperature, int TopK, double TopP);

/// <param name="LogProb">Under the tempered distribution before top-k and top-p; with temperature 0 under the untempered one.</param>
/// <param name="IsFinite">Whether all logits of the row are.</param>
internal readonly record struct DrawnToken(int Token, float LogProb, bool IsFinite);
