using System.Diagnostics;
using System.Globalization;

namespace Ghpo.Bench.Chaos;

/// <summary>A PostgreSQL server of its own, that can be killed and started again. It refuses to run as root, and then runs as the user postgres. Gone when disposed.</summary>
internal sealed class PostgresServer : IDisposable
{
    private readonly string _bin;
    private readonly string _folder;
    private readonly string _options;

    private PostgresServer(string bin, string folder, string options, string connection)
    {
        _bin = bin;
        _folder = folder;
        _options = options;
        ConnectionString = connection;
    }

    public string ConnectionString { get; }

    private string Data => Path.Combine(_folder, "data");

    /// <param name="address">To listen on, besides loopback.</param>
    /// <param name="subnet">Who may connect without a password.</param>
    /// <returns>Null and why: there is no PostgreSQL here.</returns>
    public static (PostgresServer? Server, string WhyNot) TryStart(string address, string subnet, int port)
    {
        string? bin = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin")).Where(Directory.Exists).Order(StringComparer.Ordinal).LastOrDefault()
            : null;
        if (bin is null)
        {
            return (null, "There is no PostgreSQL in /usr/lib/postgresql (package postgresql).");
        }

        string folder = Directory.CreateTempSubdirectory("ghpo-postgres-").FullName;
        string number = port.ToString(CultureInfo.InvariantCulture);
        if (Environment.UserName == "root")
        {
            Run("chown", "postgres", folder);
        }

        var server = new PostgresServer(
            bin, folder, $"-c listen_addresses=127.0.0.1,{address} -c port={number} -c unix_socket_directories={folder} -c max_connections=200 -c fsync=off",
            $"Host={address};Port={number};Username=ghpo;Database=postgres;Maximum Pool Size=20");
        server.Call("initdb", "-D", server.Data, "-U", "ghpo", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions");
        File.AppendAllText(Path.Combine(server.Data, "pg_hba.conf"), $"\nhost all all {subnet} trust\n");
        server.Start();
        return (server, "");
    }

    public void Start() => Call("pg_ctl", "-s", "-D", Data, "-l", Path.Combine(_folder, "log"), "-w", "-o", _options, "start");

    /// <summary>As if its machine had been switched off: no connection is ended in good order, and recovery follows.</summary>
    public void Kill() => Call("pg_ctl", "-s", "-D", Data, "-m", "immediate", "-w", "stop");

    public void Dispose()
    {
        Kill();
        Directory.Delete(_folder, recursive: true);
    }

    private void Call(string tool, params string[] arguments)
    {
        string[] command = [Path.Combine(_bin, tool), .. arguments];
        Run(Environment.UserName == "root" ? ["runuser", "-u", "postgres", "--", .. command] : command);
    }

    private static void Run(params string[] command)
    {
        // What the server inherits it keeps open as long as it lives: its output goes to a file, and that of its starter nowhere.
        using Process process = Process.Start(new ProcessStartInfo("sh", ["-c", "exec \"$@\" > /dev/null", "sh", .. command]) { WorkingDirectory = "/" })!;
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', command)}: exit code {process.ExitCode}");
        }
    }
}
