namespace Ghpo.Models;

/// <summary>
/// GPT-2's printable stand-ins for the 256 bytes, in which byte-level vocabularies are written: a printable Latin-1 byte stands for itself,
/// the others for U+0100 onwards in rising order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] CharOf = new char[256];
    private static readonly Dictionary<char, byte> ByteOf = [];

    static ByteAlphabet()
    {
        char next = (char)0x100;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is >= 0x21 and <= 0x7e or >= 0xa1 and <= 0xac or >= 0xae;
            CharOf[value] = printable ? (char)value : next++;
            ByteOf[CharOf[value]] = (byte)value;
        }
    }

    internal static string Of(byte value) => CharOf[value].ToString();

    internal static string Of(ReadOnlySpan<byte> bytes)
    {
        Span<char> characters = bytes.Length <= 256 ? stackalloc char[bytes.Length] : new char[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            characters[i] = CharOf[bytes[i]];
        }

        return new string(characters);
    }

    /// <summary>The bytes that a token stands for; null if it holds a character outside the alphabet.</summary>
    internal static byte[]? ToBytes(string token)
    {
        byte[] bytes = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
        {
            if (!ByteOf.TryGetValue(token[i], out bytes[i]))
            {
                return null;
            }
        }

        return bytes;
    }
}
