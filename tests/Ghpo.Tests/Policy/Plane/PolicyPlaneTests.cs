using System.Net;
using System.Net.Sockets;
using System.Text;
using Ghpo.Policy;
using Ghpo.Policy.Plane;
using Ghpo.Rollout;
using Ghpo.Tests.Dispatch;
using Xunit;

namespace Ghpo.Tests.Policy.Plane;

public sealed class PolicyPlaneTests : IAsyncLifetime
{
    private const int Chunks = 9;
    private readonly PlaneHarness _planes = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _planes.DisposeAsync();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static Task<PolicySnapshot> Fetch(PolicyPlane worker, PolicySnapshot policy, PolicyPlane learner) =>
        worker.FetchAsync(policy.Epoch, policy.Version, policy.Hash, learner.Address, Stop);

    private string FileOf(string name, PolicySnapshot policy, string extension = ".safetensors") => Path.Combine(_planes.FolderOf(name), policy.Hash + extension);

    [Fact]
    public async Task A_fetched_policy_has_the_tensors_version_and_hash_that_were_published()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        PolicyPlane worker = await _planes.StartAsync("worker");
        using PolicySnapshot published = PlaneHarness.Snapshot(Chunks, version: 7);
        learner.Publish(published);
        using PolicySnapshot fetched = await Fetch(worker, published, learner);

        Assert.Equal((published.Epoch, published.Version, published.Hash), (fetched.Epoch, fetched.Version, fetched.Hash));
        Assert.Equal(published.Weights.Keys.Order(), fetched.Weights.Keys.Order());
        Assert.All(published.Weights, weight => Assert.Equal(weight.Value.bytes.ToArray(), fetched.Weights[weight.Key].bytes.ToArray()));
        Assert.Equal(File.ReadAllBytes(FileOf("learner", published)), File.ReadAllBytes(FileOf("worker", published)));
    }

    [Fact]
    public async Task A_corrupt_chunk_is_fetched_again_from_another_source_and_never_reaches_the_file()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        PolicyPlane first = await _planes.StartAsync("first");
        PolicyPlane second = await _planes.StartAsync("second");
        using PolicySnapshot policy = PlaneHarness.Snapshot(Chunks);
        learner.Publish(policy);
        (await Fetch(first, policy, learner)).Dispose();
        long before = learner.BytesSent;

        // The disk of the first worker, which the second is sent to, flips a byte of chunk 2.
        FlipByte(FileOf("first", policy), (2 * PlaneHarness.ChunkBytes) + 17);
        using PolicySnapshot fetched = await Fetch(second, policy, learner);

        Assert.Equal(policy.Hash, fetched.Hash);
        Assert.True(first.BytesSent > 0, "The corrupt source was not asked.");
        Assert.True(learner.BytesSent - before >= PlaneHarness.ChunkBytes, "The chunk came from nowhere.");
        Assert.Equal(File.ReadAllBytes(FileOf("learner", policy)), File.ReadAllBytes(FileOf("second", policy)));
    }

    [Fact]
    public async Task Where_every_source_sends_wrong_bytes_the_error_names_policy_chunk_and_source()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        PolicyPlane worker = await _planes.StartAsync("worker");
        using PolicySnapshot policy = PlaneHarness.Snapshot(Chunks);
        learner.Publish(policy);
        FlipByte(FileOf("learner", policy), (4 * PlaneHarness.ChunkBytes) + 1);

        PolicyFetchException failure = await Assert.ThrowsAsync<PolicyFetchException>(() => Fetch(worker, policy, learner));
        Assert.Contains(policy.Hash, failure.Message, StringComparison.Ordinal);
        Assert.Contains($"every source there is has sent wrong bytes", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"{learner.Address}: sent other bytes for chunk 4 than were published (banned)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fetch_goes_on_from_what_an_earlier_process_verified_and_does_not_believe_its_disk()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        using PolicySnapshot policy = PlaneHarness.Snapshot(Chunks);
        learner.Publish(policy);

        // Five chunks and a half came before the process died; one of them is damaged since.
        Directory.CreateDirectory(_planes.FolderOf("worker"));
        byte[] whole = File.ReadAllBytes(FileOf("learner", policy));
        File.WriteAllBytes(FileOf("worker", policy, ".partial"), whole[..((5 * PlaneHarness.ChunkBytes) + (PlaneHarness.ChunkBytes / 2))]);
        FlipByte(FileOf("worker", policy, ".partial"), PlaneHarness.ChunkBytes + 3);
        PolicyPlane worker = await _planes.StartAsync("worker");
        using PolicySnapshot fetched = await Fetch(worker, policy, learner);

        Assert.Equal(whole.Length - (4 * PlaneHarness.ChunkBytes), learner.BytesSent);
        Assert.False(File.Exists(FileOf("worker", policy, ".partial")));
        Assert.Equal(whole, File.ReadAllBytes(FileOf("worker", policy)));
    }

    [Fact]
    public async Task A_policy_that_a_restarted_worker_has_whole_is_hashed_and_not_fetched()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        using PolicySnapshot policy = PlaneHarness.Snapshot(Chunks);
        learner.Publish(policy);
        Directory.CreateDirectory(_planes.FolderOf("worker"));
        File.Copy(FileOf("learner", policy), FileOf("worker", policy));
        PolicyPlane worker = await _planes.StartAsync("worker");
        (await Fetch(worker, policy, learner)).Dispose();

        Assert.Equal(0, learner.BytesSent);
    }

    [Fact]
    public async Task A_source_that_one_policy_could_not_be_fetched_from_for_want_of_a_connection_is_not_tried_for_the_next()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        PolicyPlane worker = await _planes.StartAsync("worker");
        using var port = new TcpListener(IPAddress.Loopback, 0);
        port.Start();
        var other = new Uri($"http://{port.LocalEndpoint}/");
        port.Stop();
        using var client = new PlaneClient(null);
        using PolicySnapshot first = PlaneHarness.Snapshot(Chunks, version: 1, seed: 1);
        learner.Publish(first);
        await HasWhole(first);
        (await Fetch(worker, first, learner)).Dispose();

        using PolicySnapshot second = PlaneHarness.Snapshot(Chunks, version: 2, seed: 2);
        learner.Publish(second);
        await HasWhole(second);
        using var again = new TcpListener(IPAddress.Loopback, other.Port);
        again.Start();
        (await Fetch(worker, second, learner)).Dispose();
        Assert.False(again.Pending());

        // Another worker may well reach it, and is sent there; that it stays silent makes it no worse a source than any other.
        Assert.Contains(other, await client.SourcesAsync(learner.Address, second.Hash, new SourcesQuery(new Uri("http://127.0.0.1:1/"), []), Stop));

        async Task HasWhole(PolicySnapshot policy)
        {
            await client.SourcesAsync(learner.Address, policy.Hash, new SourcesQuery(other, []), Stop);
            await client.NoteWholeAsync(learner.Address, policy.Hash, other, Stop);
        }
    }

    [Fact]
    public void A_plane_that_was_not_reached_is_tried_again_after_ten_minutes()
    {
        var time = new ManualTime();
        var unreached = new UnreachedPlanes(time);
        var plane = new Uri("http://worker:1/");
        unreached.Note(plane);
        time.Elapsed = UnreachedPlanes.Memory - TimeSpan.FromSeconds(1);
        Assert.Equal([plane], unreached.Current);
        time.Elapsed = UnreachedPlanes.Memory;
        Assert.Empty(unreached.Current);
    }

    [Fact]
    public async Task A_source_that_died_is_left_and_the_fetch_ends_with_another()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        PolicyPlane first = await _planes.StartAsync("first");
        PolicyPlane second = await _planes.StartAsync("second");
        using PolicySnapshot policy = PlaneHarness.Snapshot(Chunks);
        learner.Publish(policy);
        (await Fetch(first, policy, learner)).Dispose();
        await first.DisposeAsync();
        using PolicySnapshot fetched = await Fetch(second, policy, learner);

        Assert.Equal(policy.Hash, fetched.Hash);
    }

    [Fact]
    public async Task Calls_for_one_policy_share_one_transfer()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        PolicyPlane worker = await _planes.StartAsync("worker");
        using PolicySnapshot policy = PlaneHarness.Snapshot(Chunks);
        learner.Publish(policy);
        PolicySnapshot[] fetched = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Fetch(worker, policy, learner)));
        Array.ForEach(fetched, one => one.Dispose());

        Assert.Equal(new FileInfo(FileOf("learner", policy)).Length, learner.BytesSent);
    }

    [Fact]
    public async Task Workers_serve_one_another_and_the_learner_does_not_send_a_copy_to_each()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        PolicyPlane[] workers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => _planes.StartAsync($"worker-{i}", connections: 2)));
        using PolicySnapshot policy = PlaneHarness.Snapshot(Chunks);
        learner.Publish(policy);
        PolicySnapshot[] fetched = await Task.WhenAll(workers.Select(worker => Fetch(worker, policy, learner)));
        Array.ForEach(fetched, one => one.Dispose());

        long size = new FileInfo(FileOf("learner", policy)).Length;
        Assert.Equal(12 * size, learner.BytesSent + workers.Sum(worker => worker.BytesSent));
        Assert.True(learner.BytesSent <= 5 * size, $"The learner sent {learner.BytesSent / (double)size:F1} copies of 12.");
    }

    [Fact]
    public async Task Two_versions_are_kept_and_an_older_one_is_gone_with_a_clear_error()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        PolicyPlane worker = await _planes.StartAsync("worker");
        PolicySnapshot[] policies = [.. Enumerable.Range(1, 3).Select(i => PlaneHarness.Snapshot(2, version: i, seed: i))];
        foreach (PolicySnapshot policy in policies)
        {
            learner.Publish(policy);
        }

        Assert.False(File.Exists(FileOf("learner", policies[0])));
        (await Fetch(worker, policies[1], learner)).Dispose();
        (await Fetch(worker, policies[2], learner)).Dispose();
        PolicyGoneException failure = await Assert.ThrowsAsync<PolicyGoneException>(() => Fetch(worker, policies[0], learner));
        Assert.Contains("newer ones have displaced it", failure.Message, StringComparison.Ordinal);
        Array.ForEach(policies, policy => policy.Dispose());
    }

    [Fact]
    public async Task A_policy_whose_tensors_are_not_what_its_name_says_is_refused_at_the_end()
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        PolicyPlane worker = await _planes.StartAsync("worker");
        using PolicySnapshot honest = PlaneHarness.Snapshot(2);
        learner.Publish(new PolicySnapshot(1, new PolicyVersion(1), new string('a', 64), honest.Weights));

        PolicyFetchException failure = await Assert.ThrowsAsync<PolicyFetchException>(
            () => worker.FetchAsync(1, new PolicyVersion(1), new string('a', 64), learner.Address, Stop));
        Assert.Contains($"holds tensors of hash {honest.Hash}", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_planes.FolderOf("worker"), "*.safetensors"));
    }

    [Fact]
    public async Task A_learner_that_is_not_there_is_named()
    {
        PolicyPlane worker = await _planes.StartAsync("worker");
        var nobody = new Uri("http://127.0.0.1:9/");
        PolicyFetchException failure = await Assert.ThrowsAsync<PolicyFetchException>(
            () => worker.FetchAsync(1, new PolicyVersion(1), new string('a', 64), nobody, Stop));
        Assert.Contains("http://127.0.0.1:9/ gave no manifest", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /policy/../../../etc/passwd HTTP/1.1")]
    [InlineData("GET /policy/%2e%2e%2f%2e%2e%2fetc%2fpasswd/manifest HTTP/1.1")]
    [InlineData("GET /policy/in-use/manifest HTTP/1.1")]
    [InlineData("GET /policy/{HASH}/manifest HTTP/1.1")]
    [InlineData("GET /policy/{hash}.safetensors HTTP/1.1")]
    [InlineData("GET /policy/{hash}/chunks/-1 HTTP/1.1")]
    [InlineData("GET /policy/{hash}/chunks/2 HTTP/1.1")]
    [InlineData("GET /policy/{hash}/chunks/4294967296 HTTP/1.1")]
    [InlineData("GET /policy/{hash}/chunks/0/../../manifest/x HTTP/1.1")]
    [InlineData("POST /policy/{hash}/chunks/0 HTTP/1.1")]
    [InlineData("GET / HTTP/1.1")]
    public async Task Nothing_but_what_was_published_is_served(string request)
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        using PolicySnapshot policy = PlaneHarness.Snapshot(2);
        learner.Publish(policy);
        string line = request.Replace("{hash}", policy.Hash, StringComparison.Ordinal).Replace("{HASH}", policy.Hash.ToUpperInvariant(), StringComparison.Ordinal);

        Assert.StartsWith("HTTP/1.1 404", await Ask(learner, $"{line}\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
        Assert.Equal(0, learner.BytesSent);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("""{"plane":"file:///etc/passwd","failed":[]}""")]
    [InlineData("""{"plane":"http://127.0.0.1:1/","failed":["ftp://x/"]}""")]
    [InlineData("""{"plane":"http://user:secret@127.0.0.1:1/"}""")]
    public async Task What_no_plane_would_ask_is_refused(string body)
    {
        PolicyPlane learner = await _planes.StartAsync("learner");
        using PolicySnapshot policy = PlaneHarness.Snapshot(2);
        learner.Publish(policy);

        Assert.StartsWith("HTTP/1.1 400", await Ask(learner, $"POST /policy/{policy.Hash}/sources HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"), StringComparison.Ordinal);
    }

    /// <summary>As it is written, without a client that tidies the path.</summary>
    private static async Task<string> Ask(PolicyPlane plane, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, plane.Address.Port, Stop);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), Stop);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Stop);
    }

    private static void FlipByte(string path, long offset)
    {
        using FileStream file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        file.Position = offset;
        int value = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ 0x40));
    }
}
