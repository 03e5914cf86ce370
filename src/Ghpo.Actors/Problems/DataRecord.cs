using System.Collections.Immutable;

namespace Ghpo.Problems;

/// <summary>One record of a data file, before it is known which field means what.</summary>
/// <param name="Line">Its line in a text file, its row in a Parquet file; from 1.</param>
/// <param name="Fields">Each field's text; several for a list, none for null.</param>
internal sealed record DataRecord(int Line, IReadOnlyDictionary<string, ImmutableArray<string>> Fields);
