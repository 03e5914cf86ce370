using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Sets VER_FLG_WEAK on the GLIBCXX_3.4.32 entry of an ELF64 library's version needs (.gnu.version_r).
/// Idempotent; fails if the library is not an ELF64 file that has exactly one such entry.
/// Layout: System V ABI, "Symbol Versioning": Elf64_Verneed { u16 version, u16 cnt, u32 file, u32 aux, u32 next },
/// Elf64_Vernaux { u32 hash, u16 flags, u16 other, u32 name, u32 next }.
/// </summary>
public sealed class MarkGlibcxxNeedWeak : Task
{
    private const string Version = "GLIBCXX_3.4.32";
    private const ushort Weak = 0x2;
    private const uint GnuVersionNeed = 0x6ffffffe;

    [Required]
    public string Library { get; set; }

    public override bool Execute()
    {
        byte[] elf = File.ReadAllBytes(Library);
        if (elf.Length < 64 || elf[0] != 0x7f || elf[1] != 'E' || elf[2] != 'L' || elf[3] != 'F' || elf[4] != 2 || elf[5] != 1)
        {
            Log.LogError("{0} is not a little-endian ELF64 library; TorchSharp's native library was expected there.", Library);
            return false;
        }

        long sections = BitConverter.ToInt64(elf, 0x28);
        int sectionSize = BitConverter.ToUInt16(elf, 0x3a);
        int sectionCount = BitConverter.ToUInt16(elf, 0x3c);
        int entry = -1;
        int found = 0;
        for (int i = 0; i < sectionCount; i++)
        {
            int header = checked((int)(sections + (long)i * sectionSize));
            if (BitConverter.ToUInt32(elf, header + 4) != GnuVersionNeed)
            {
                continue;
            }

            int need = checked((int)BitConverter.ToInt64(elf, header + 0x18));
            int needCount = BitConverter.ToInt32(elf, header + 0x2c);
            int strings = checked((int)BitConverter.ToInt64(elf, checked((int)(sections + (long)BitConverter.ToInt32(elf, header + 0x28) * sectionSize)) + 0x18));
            for (int n = 0; n < needCount; n++)
            {
                int aux = need + BitConverter.ToInt32(elf, need + 8);
                int auxCount = BitConverter.ToUInt16(elf, need + 2);
                for (int a = 0; a < auxCount; a++)
                {
                    if (NameAt(elf, strings + BitConverter.ToInt32(elf, aux + 8)) == Version)
                    {
                        entry = aux;
                        found++;
                    }

                    aux += BitConverter.ToInt32(elf, aux + 12);
                }

                need += BitConverter.ToInt32(elf, need + 12);
            }
        }

        if (found != 1)
        {
            Log.LogError("{0} names {1} {2} times, expected once: this is not the TorchSharp build that build/MarkGlibcxxNeedWeak.cs knows. Check whether the new build loads on Debian 12 unpatched, and remove or adapt the patch.", Library, Version, found);
            return false;
        }

        ushort flags = BitConverter.ToUInt16(elf, entry + 4);
        if ((flags & Weak) != 0)
        {
            return true;
        }

        BitConverter.GetBytes((ushort)(flags | Weak)).CopyTo(elf, entry + 4);
        string aside = Library + ".patched";
        File.WriteAllBytes(aside, elf);
        File.Delete(Library);
        File.Move(aside, Library);
        Log.LogMessage(MessageImportance.Normal, "{0}: need of {1} marked weak.", Library, Version);
        return true;
    }

    private static string NameAt(byte[] bytes, int start)
    {
        int end = Array.IndexOf(bytes, (byte)0, start);
        return Encoding.ASCII.GetString(bytes, start, end - start);
    }
}
