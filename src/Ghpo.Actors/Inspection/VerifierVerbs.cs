using System.Globalization;
using Akka.Actor;
using Ghpo.Dispatch;
using static Ghpo.Inspection.Verbs;

namespace Ghpo.Inspection;

/// <summary>Who judges answers on other nodes.</summary>
internal sealed class VerifierVerbs(InspectedRun run)
{
    public VerbPalette Palette => new("verifier", "Who judges on other nodes",
    [
        Once("list", "Verifier nodes and what they have in hand", async _ =>
        {
            VerificationProtocol.VerifiersView view = await run.Run.Ask<VerificationProtocol.VerifiersView>(new VerificationProtocol.GetVerifiers(), InspectedRun.Patience);
            DateTimeOffset now = run.Context.Time.GetUtcNow();
            return
            [
                .. view.Verifiers.Select(verifier => Line(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{verifier.Name} | {verifier.Node} | {verifier.Answers} of {verifier.Capacity} answers in hand{(verifier.OldestSince is { } since ? $", the oldest since {(now - since).TotalSeconds:0.0} s" : "")} | {verifier.Judged} judged"),
                    verifier)),
                Line($"Count: {view.Verifiers.Length} verifier nodes; {view.PendingAnswers} answers pending{(view.Verifiers.IsEmpty ? "; the learner judges" : "")}"),
            ];
        }),
    ]);
}
