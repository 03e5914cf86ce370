using Akka.Actor;

namespace Ghpo.Tests.Journal;

/// <summary>Asks that fail a test in seconds instead of waiting for ever.</summary>
internal static class Answers
{
    internal static Task<T> Answer<T>(this IActorRef actor, object message) => actor.Ask<T>(message, TimeSpan.FromSeconds(20));
}
