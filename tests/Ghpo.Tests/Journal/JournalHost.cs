using Akka.Actor;
using Akka.Hosting;
using Ghpo.Journal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Ghpo.Tests.Journal;

/// <summary>An actor system on a SQL journal, SQLite unless told otherwise, wired as the program wires it.</summary>
internal sealed class JournalHost : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly SqliteFile _file;

    private JournalHost(IHost host, SqliteFile file)
    {
        _host = host;
        _file = file;
        System = host.Services.GetRequiredService<ActorSystem>();
    }

    public ActorSystem System { get; }

    internal static async Task<JournalHost> Start(string folder, KillSwitch? killSwitch = null, JournalSettings? settings = null)
    {
        string path = Path.Combine(folder, "journal.db");
        SqliteFile file = SqliteFile.Prepare(path);
        var services = new HostBuilder().ConfigureServices(services => services.AddAkka("test", akka =>
        {
            akka.WithSqlJournal(settings ?? new JournalSettings(JournalProvider.Sqlite, "", KeepRollouts.All), path)
                .AddHocon("akka.loglevel = OFF\nakka.stdout-loglevel = OFF", HoconAddMode.Prepend);
            if (killSwitch is not null)
            {
                akka.AddSetup(killSwitch)
                    .AddHocon($"akka.persistence.journal.sql.class = \"{typeof(KillingJournal).AssemblyQualifiedName}\"", HoconAddMode.Prepend);
            }
        }));
        IHost host = services.Build();
        await host.StartAsync();
        return new JournalHost(host, file);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        _file.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }
}
