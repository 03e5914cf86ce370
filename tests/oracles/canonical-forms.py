"""Writes the table of Unicode's canonical decompositions that Ghpo.Models.CanonicalComposition reads, from Python's unicodedata.

    python3 tests/oracles/canonical-forms.py > src/Ghpo.Actors/Models/canonical-forms.txt

First line: the Unicode version. Then, in hexadecimal and one entry a line, sorted:
    c FIRST LAST CLASS    code points with a canonical combining class other than 0
    d CODE FIRST SECOND   a pair that composes to CODE again
    x CODE FIRST [SECOND] a decomposition that is never composed again
Hangul syllables are left out: they follow from arithmetic.
"""
import sys
import unicodedata

sys.stdout.reconfigure(newline="\n")
print(unicodedata.unidata_version)

start, previous, current = 0, 0, 0
for code in range(0x110001):
    combining = unicodedata.combining(chr(code)) if code < 0x110000 else 0
    if combining != current or code != previous + 1:
        if current:
            print(f"c {start:X} {previous:X} {current}")
        start, current = code, combining
    previous = code

for code in range(0x110000):
    decomposition = unicodedata.decomposition(chr(code))
    if not decomposition or decomposition.startswith("<"):
        continue
    parts = [int(part, 16) for part in decomposition.split()]
    text = "".join(map(chr, parts))
    kind = "d" if len(parts) == 2 and unicodedata.normalize("NFC", text) == chr(code) else "x"
    print(kind, *(f"{value:X}" for value in [code, *parts]))
