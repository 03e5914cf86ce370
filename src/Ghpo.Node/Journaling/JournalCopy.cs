using Akka.Actor;
using Akka.Hosting;
using Ghpo.Configuration;
using Ghpo.Journal;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Ghpo.Node.Journaling;

/// <summary>Writes a new run's journal, wired as the run itself will wire it.</summary>
internal static class JournalCopy
{
    /// <param name="parts">Written one after the other.</param>
    /// <param name="sqliteFile">The journal's file where the provider is SQLite.</param>
    /// <exception cref="UserErrorException">The database cannot be written, or holds a journal already.</exception>
    public static async Task WriteAsync(JournalSettings settings, string sqliteFile, IEnumerable<JournalPart> parts)
    {
        using IDisposable held = SqlJournal.Hold(settings, sqliteFile);
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddAkka("ghpo-journal", akka => akka
            .WithSqlJournal(settings, sqliteFile)
            .AddHocon("akka.loglevel = OFF\nakka.stdout-loglevel = OFF", HoconAddMode.Prepend));
        using IHost host = builder.Build();
        await host.StartAsync();
        try
        {
            ActorSystem system = host.Services.GetRequiredService<ActorSystem>();
            var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var writers = new Dictionary<string, IActorRef>();
            foreach (JournalPart part in parts)
            {
                if (!writers.TryGetValue(part.Stream, out IActorRef? writer))
                {
                    writers[part.Stream] = writer = system.ActorOf(Props.Create(() => new JournalCopyActor(part.Stream, failed)), part.Stream);
                }

                Task<JournalCopyActor.Written> written = writer.Ask<JournalCopyActor.Written>(new JournalCopyActor.Write(part.Events), Timeout.InfiniteTimeSpan);
                await await Task.WhenAny(written, failed.Task);
            }
        }
        finally
        {
            await host.StopAsync();

            // What the plugin's connections still hold of the file must not outlive the folder's rename.
            SqliteConnection.ClearAllPools();
        }
    }
}
