using Ghpo.Models;

namespace Ghpo.Node.Evaluating;

/// <summary>Writes an answer's text as its tokens come. A character whose bytes are not all there waits for the rest of them.</summary>
internal sealed class StreamedText(ITokenizer tokenizer, TextWriter output)
{
    private const char Replacement = '\uFFFD';

    private readonly List<int> _pending = [];

    public void Add(int token)
    {
        _pending.Add(token);
        string text = tokenizer.Decode(_pending);

        // No character has more than four bytes: what is still broken then is broken for good.
        if (text.Length > 0 && (text[^1] != Replacement || _pending.Count > 4))
        {
            Flush(text);
        }
    }

    public void End()
    {
        Flush(tokenizer.Decode(_pending));
        output.WriteLine();
    }

    private void Flush(string text)
    {
        output.Write(text);
        output.Flush();
        _pending.Clear();
    }
}
