using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Xunit;
using static TorchSharp.torch;

namespace Ghpo.Tests.Build;

/// <summary>What the build does to TorchSharp's native library so that it loads on systems older than the one it was built on.</summary>
public sealed class TorchLoadsTests
{
    private const string Library = "libLibTorchSharp.so";
    private const string Version = "GLIBCXX_3.4.32";
    private const ushort Weak = 2;

    [Fact]
    public void Torch_loads_and_multiplies_matrices()
    {
        using var scope = NewDisposeScope();
        Tensor product = matmul(tensor([1f, 2, 3, 4], [2, 2]), tensor([5f, 6, 7, 8], [2, 2]));

        Assert.Equal([19f, 22, 43, 50], product.data<float>().ToArray());
    }

    [Fact]
    public void The_need_of_the_newest_libstdcxx_is_marked_weak_in_the_output_folder()
    {
        byte[] elf = File.ReadAllBytes(OutputCopy());

        Assert.Equal(Weak, BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(FlagsOf(elf, Version))));
    }

    [Fact]
    public void Nothing_else_differs_from_the_package_which_is_left_as_it_came()
    {
        byte[] patched = File.ReadAllBytes(OutputCopy());
        string package = PackageCopy();
        if (!File.Exists(package))
        {
            Assert.Skip($"{package} is not there to compare with.");
        }

        byte[] original = File.ReadAllBytes(package);
        int flags = FlagsOf(original, Version);
        Assert.Equal(0, BinaryPrimitives.ReadUInt16LittleEndian(original.AsSpan(flags)));
        BinaryPrimitives.WriteUInt16LittleEndian(original.AsSpan(flags), Weak);
        Assert.True(original.AsSpan().SequenceEqual(patched), "the output copy differs from the package in more than the two bytes of that flag");
    }

    private static string OutputCopy()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("Only the library for Linux is changed.");
        }

        string flat = Path.Combine(AppContext.BaseDirectory, Library);
        return File.Exists(flat) ? flat : Path.Combine(AppContext.BaseDirectory, "runtimes/linux-x64/native", Library);
    }

    /// <summary>Where the package that this was built with lies, if it is still there.</summary>
    private static string PackageCopy()
    {
        string root = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget/packages");
        string dependencies = Path.Combine(AppContext.BaseDirectory, $"{typeof(TorchLoadsTests).Assembly.GetName().Name}.deps.json");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(dependencies));
        string name = document.RootElement.GetProperty("libraries").EnumerateObject()
            .Single(library => library.Name.StartsWith("TorchSharp/", StringComparison.Ordinal)).Name;
        return Path.Combine(root, name.ToLowerInvariant(), "runtimes/linux-x64/native", Library);
    }

    /// <summary>
    /// Where the flags of a needed version stand. .gnu.version_r (section type 0x6ffffffe) holds a chain of Elf64_Verneed { u16 version, u16 count, u32 file,
    /// u32 aux, u32 next }, each with a chain of Elf64_Vernaux { u32 hash, u16 flags, u16 other, u32 name, u32 next }; names are in the linked
    /// string table (System V ABI, symbol versioning).
    /// </summary>
    private static int FlagsOf(byte[] elf, string version)
    {
        int sections = (int)Read64(0x28);
        int[] headers = [.. Enumerable.Range(0, Read16(0x3c)).Select(index => sections + (index * Read16(0x3a)))];
        int needs = Assert.Single(headers, header => Read32(header + 4) == 0x6ffffffe);
        int strings = (int)Read64(headers[Read32(needs + 0x28)] + 0x18);
        List<int> found = [];
        int need = (int)Read64(needs + 0x18);
        for (int n = Read32(needs + 0x2c); n > 0; n--)
        {
            int aux = need + Read32(need + 8);
            for (int a = Read16(need + 2); a > 0; a--)
            {
                int name = strings + Read32(aux + 8);
                if (Encoding.ASCII.GetString(elf.AsSpan(name, elf.AsSpan(name).IndexOf((byte)0))) == version)
                {
                    found.Add(aux + 4);
                }

                aux += Read32(aux + 12);
            }

            need += Read32(need + 12);
        }

        return Assert.Single(found);

        ushort Read16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(at));
        int Read32(int at) => BinaryPrimitives.ReadInt32LittleEndian(elf.AsSpan(at));
        long Read64(int at) => BinaryPrimitives.ReadInt64LittleEndian(elf.AsSpan(at));
    }
}
