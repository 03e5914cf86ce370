using Akka.Actor;
using Akka.Hosting;
using Ghpo.Journal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Ghpo.Tests.Journal;

/// <summary>An actor system on the SQL journal of a run folder, wired as the program wires it.</summary>
internal sealed class JournalHost : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly IDisposable? _hold;

    private JournalHost(IHost host, IDisposable? hold)
    {
        _host = host;
        _hold = hold;
        System = host.Services.GetRequiredService<ActorSystem>();
    }

    public ActorSystem System { get; }

    /// <param name="held">False: as a process that has lost its lock.</param>
    internal static async Task<JournalHost> Start(string folder, KillSwitch? killSwitch = null, bool held = true, string hocon = "")
    {
        string path = Path.Combine(folder, "journal.db");
        JournalSettings settings = TestJournal.SettingsOf(folder);
        IDisposable? hold = held ? SqlJournal.Hold(settings, path) : null;
        var services = new HostBuilder().ConfigureServices(services => services.AddAkka("test", akka =>
        {
            akka.WithSqlJournal(settings, path)
                .AddHocon("akka.loglevel = OFF\nakka.stdout-loglevel = OFF", HoconAddMode.Prepend)
                .AddHocon(hocon, HoconAddMode.Prepend);
            if (killSwitch is not null)
            {
                akka.AddSetup(killSwitch)
                    .AddHocon($"akka.persistence.journal.sql.class = \"{typeof(KillingJournal).AssemblyQualifiedName}\"", HoconAddMode.Prepend);
            }
        }));
        IHost host = services.Build();
        await host.StartAsync();
        return new JournalHost(host, hold);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        _hold?.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }
}
