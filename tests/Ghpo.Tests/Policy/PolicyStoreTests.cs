using Ghpo.Policy;
using Ghpo.Rollout;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Policy;

public sealed class PolicyStoreTests
{
    [Fact]
    public void The_last_versions_are_kept_and_older_ones_disposed()
    {
        using var store = new PolicyStore(kept: 2);
        PolicySnapshot[] policies = [.. Enumerable.Range(0, 3).Select(version => Policy(version))];
        foreach (PolicySnapshot policy in policies)
        {
            store.Publish(policy);
        }

        Assert.Equal([new PolicyVersion(1), new PolicyVersion(2)], store.Versions);
        Assert.True(Disposed(policies[0]));
        Assert.Equal(2, Value(store, 2));
        Assert.Contains("Policy v0 is not kept here: kept are v1, v2", Assert.Throws<PolicyGoneException>(() => Value(store, 0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_that_is_being_read_lives_until_its_last_reader_leaves()
    {
        using var store = new PolicyStore(kept: 1);
        PolicySnapshot first = Policy(0);
        store.Publish(first);
        store.Read(first.Version, outer =>
        {
            store.Read(first.Version, _ => store.Publish(Policy(1)));
            Assert.False(Disposed(outer));
            Assert.Throws<PolicyGoneException>(() => Value(store, 0));
        });

        Assert.True(Disposed(first));
        Assert.Equal(1, Value(store, 1));
    }

    [Fact]
    public void A_reader_that_throws_leaves_too()
    {
        using var store = new PolicyStore(kept: 1);
        PolicySnapshot first = Policy(0);
        store.Publish(first);
        Assert.Throws<InvalidOperationException>(() => store.Read(first.Version, _ => throw new InvalidOperationException()));
        store.Publish(Policy(1));

        Assert.True(Disposed(first));
    }

    [Fact]
    public void A_version_published_again_replaces_the_older_publication()
    {
        using var store = new PolicyStore(kept: 2);
        store.Publish(Policy(0));
        PolicySnapshot old = Policy(1);
        store.Publish(old);
        store.Publish(Policy(1, value: 7));

        Assert.True(Disposed(old));
        Assert.Equal(7, Value(store, 1));
        Assert.Equal(0, Value(store, 0));
    }

    [Fact]
    public void Readers_and_publisher_do_not_disturb_each_other()
    {
        using var store = new PolicyStore(kept: 2);
        store.Publish(Policy(0));
        int newest = 0;
        int read = 0;
        bool done = false;
        Parallel.Invoke(
            () =>
            {
                for (int version = 1; version <= 200 || Volatile.Read(ref read) < 50; version++)
                {
                    store.Publish(Policy(version));
                    Volatile.Write(ref newest, version);
                }

                Volatile.Write(ref done, true);
            },
            () =>
            {
                while (!Volatile.Read(ref done))
                {
                    int version = Volatile.Read(ref newest);
                    try
                    {
                        Assert.Equal(version, Value(store, version));
                        Interlocked.Increment(ref read);
                    }
                    catch (PolicyGoneException)
                    {
                        // The publisher was faster, as it may be.
                    }
                }
            });

        Assert.True(read >= 50);
    }

    [Fact]
    public void The_hash_depends_on_names_types_shapes_and_bits_and_not_on_the_order_of_the_dictionary()
    {
        using Tensor a = arange(6, dtype: ScalarType.Float32);
        using Tensor b = a.reshape(2, 3);
        using Tensor c = a.add(1e-6);
        using Tensor d = a.to(ScalarType.BFloat16);
        using Tensor transposed = b.t();
        using Tensor copied = transposed.contiguous();
        string[] hashes =
        [
            Hash(("x", a), ("y", b)), Hash(("x", b), ("y", a)), Hash(("x", a), ("z", b)), Hash(("x", c), ("y", b)), Hash(("x", d), ("y", b)), Hash(("x", a)),
            Hash(("x", a), ("y", copied)),
        ];

        Assert.Equal(hashes.Length, hashes.Distinct().Count());
        Assert.Equal(hashes[0], Hash(("y", b), ("x", a)));
        Assert.Equal(hashes[6], Hash(("x", a), ("y", transposed)));

        // SHA-256 of: 01000000 "w" 03000000 "F32" 01000000 0200000000000000 0000803f 000000c0
        using Tensor pinned = tensor(new float[] { 1, -2 });
        Assert.Equal(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Convert.FromHexString("0100000077" + "03000000463332" + "01000000" + "0200000000000000" + "0000803f000000c0"))),
            Hash(("w", pinned)));
    }

    private static string Hash(params (string Name, Tensor Tensor)[] weights) => PolicyHash.Of(weights.ToDictionary(entry => entry.Name, entry => entry.Tensor));

    private static PolicySnapshot Policy(int version, int? value = null) =>
        new(epoch: 1, new PolicyVersion(version), hash: "", new Dictionary<string, Tensor> { ["w"] = full([100], value ?? version, ScalarType.Float32) });

    private static bool Disposed(PolicySnapshot policy) => policy.Weights["w"].IsInvalid;

    private static int Value(PolicyStore store, int version)
    {
        int value = -1;
        store.Read(new PolicyVersion(version), policy => value = (int)policy.Weights["w"].mean().item<float>());
        return value;
    }
}
