"""Reads a model folder by the safetensors format's own words and by nothing of this project, and prints each tensor with the SHA-256 of its bytes.

    python3 tests/oracles/safetensors-reader.py FOLDER

Exits with 1 and a reason where the folder breaks a rule of the format: header length, alignment, metadata, types, offsets without holes, index.
"""
import hashlib
import json
import math
import os
import struct
import sys

WIDTH = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1}


def read(path):
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        assert length <= 100_000_000 and 8 + length <= size, f"{path}: header of {length} bytes"
        assert (8 + length) % 8 == 0, f"{path}: data is not aligned"
        raw = file.read(length)
        assert raw[:1] == b"{", f"{path}: header does not begin with an object"
        header = json.loads(raw)
        metadata = header.pop("__metadata__", {})
        assert metadata.get("format") == "pt" and all(isinstance(value, str) for value in metadata.values()), f"{path}: metadata {metadata}"
        end = 0
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            begin, stop = entry["data_offsets"]
            assert begin == end, f"{path}: {name} begins at {begin}, not at {end}"
            assert stop - begin == math.prod(entry["shape"]) * WIDTH[entry["dtype"]], f"{path}: {name} has a wrong length"
            data = file.read(stop - begin)
            yield name, entry["dtype"], entry["shape"], hashlib.sha256(data).hexdigest()
            end = stop
        assert 8 + length + end == size, f"{path}: {size - 8 - length - end} bytes too many"


def main(folder):
    index = os.path.join(folder, "model.safetensors.index.json")
    if os.path.exists(index):
        with open(index, encoding="utf-8") as file:
            placed = json.load(file)
        files = sorted(set(placed["weight_map"].values()))
        tensors = {}
        for name in files:
            for tensor, *rest in read(os.path.join(folder, name)):
                assert placed["weight_map"][tensor] == name, f"{tensor} is in {name}, the index says {placed['weight_map'][tensor]}"
                tensors[tensor] = rest
        assert set(tensors) == set(placed["weight_map"]), "the index names other tensors than the shards hold"
        total = sum(math.prod(shape) * WIDTH[dtype] for dtype, shape, _ in tensors.values())
        assert total == placed["metadata"]["total_size"], f"total_size is {placed['metadata']['total_size']}, the tensors take {total}"
    else:
        tensors = {tensor: rest for tensor, *rest in read(os.path.join(folder, "model.safetensors"))}
    for tensor, (dtype, shape, digest) in sorted(tensors.items()):
        print(tensor, dtype, "x".join(map(str, shape)), digest)


try:
    main(sys.argv[1])
except AssertionError as broken:
    sys.exit(str(broken))
