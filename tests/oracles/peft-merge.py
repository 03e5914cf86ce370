"""Merges a LoRA adapter in PEFT's layout into its model by the documented formula, W + (lora_alpha / r) B A in float64, by nothing of this project.

    python3 tests/oracles/peft-merge.py MODEL ADAPTER

Prints each tensor of the model with its numbers. Exits with 1 and a reason where the adapter's files are not as PEFT writes them: keys of adapter_config.json, names
base_model.model.<path>.lora_A.weight [r, in] and .lora_B.weight [out, r] for every matrix that target_modules names, and no others.
"""
import json
import math
import os
import struct
import sys


def read(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        start = 8 + length
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            assert entry["dtype"] == "F32", f"{path}: {name} is {entry['dtype']}"
            file.seek(start + begin)
            numbers = struct.unpack(f"<{math.prod(entry['shape'])}f", file.read(end - begin))
            yield name, entry["shape"], numbers


def main(model, adapter):
    with open(os.path.join(adapter, "adapter_config.json"), encoding="utf-8") as file:
        config = json.load(file)
    assert config["peft_type"] == "LORA" and config["task_type"] == "CAUSAL_LM", "peft_type, task_type"
    assert config["bias"] == "none" and not config["fan_in_fan_out"] and not config["use_rslora"] and not config["use_dora"], "not plain LoRA"
    assert isinstance(config["base_model_name_or_path"], str) and config["lora_dropout"] == 0, "base model, dropout"
    rank, scale = config["r"], config["lora_alpha"] / config["r"]
    weights = {name: (shape, numbers) for name, shape, numbers in read(os.path.join(adapter, "adapter_model.safetensors"))}
    for name, shape, numbers in sorted(read(os.path.join(model, "model.safetensors"))):
        path = name.removesuffix(".weight")
        if any(path.endswith("." + target) for target in config["target_modules"]):
            rows, columns = shape
            (a_shape, a), (b_shape, b) = (weights.pop(f"base_model.model.{path}.lora_{part}.weight") for part in "AB")
            assert a_shape == [rank, columns] and b_shape == [rows, rank], f"{path}: {a_shape}, {b_shape}"
            numbers = [
                numbers[i * columns + j] + scale * math.fsum(b[i * rank + k] * a[k * columns + j] for k in range(rank))
                for i in range(rows) for j in range(columns)
            ]
        print(name, *map(repr, numbers))
    assert not weights, f"tensors of no target: {sorted(weights)}"


try:
    main(*sys.argv[1:])
except (AssertionError, KeyError) as broken:
    sys.exit(f"{type(broken).__name__}: {broken}")
