namespace Ghpo.Models;

/// <summary>A piece of a prompt.</summary>
/// <param name="IsTemplate">Names of added tokens in it are these tokens; in data (system message, problem, hint) they are mere text.</param>
public readonly record struct PromptPart(string Text, bool IsTemplate);
