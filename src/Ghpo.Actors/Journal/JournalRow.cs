using System.Runtime.Serialization;
using Ghpo.Configuration;

namespace Ghpo.Journal;

/// <summary>A row of the journal as it stands in the database.</summary>
/// <param name="Ordering">Rises over all streams in the order of writing. What an event rests on has a lower one.</param>
/// <param name="Stream">The persistence id of the actor that wrote it.</param>
/// <param name="SequenceNumber">Counts the events of a stream, from 1.</param>
/// <param name="Serializer">Identifier of the serializer.</param>
internal sealed record JournalRow(
    long Ordering, string Stream, long SequenceNumber, DateTimeOffset Written, int Serializer, string Manifest, byte[] Message)
{
    /// <exception cref="SerializationException">The row is of another program, or damaged.</exception>
    internal JournalEntry Decode() => Serializer == GhpoEventSerializer.FixedIdentifier
        ? new JournalEntry(Ordering, Stream, SequenceNumber, Written, Manifest, Message.Length, GhpoEventSerializer.Read(Message, Manifest))
        : throw new SerializationException($"it was written by serializer {Serializer}, not by this program");

    /// <exception cref="UserErrorException">The row is of another program, or damaged; names it.</exception>
    internal JournalEntry Decode(string place)
    {
        try
        {
            return Decode();
        }
        catch (SerializationException damage)
        {
            throw new UserErrorException($"{place}: event {SequenceNumber} of {Stream} cannot be read: {damage.Message}");
        }
    }
}

/// <summary>An event with what its row says about it.</summary>
/// <param name="Ordering">Rises over all streams in the order of writing. What an event rests on has a lower one.</param>
/// <param name="Stream">The persistence id of the actor that wrote it.</param>
/// <param name="SequenceNumber">Counts the events of a stream, from 1.</param>
/// <param name="Bytes">Length of the serialized event.</param>
public sealed record JournalEntry(
    long Ordering, string Stream, long SequenceNumber, DateTimeOffset Written, string Manifest, int Bytes, object Event);
