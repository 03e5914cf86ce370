// Records llama.cpp's log-probabilities for random models, as the fixture of Ghpo.Tests.Models.ForwardParityTests.
//
//   npm install --omit=optional --ignore-scripts node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1   (in FOLDER)
//   node tests/oracles/forward.mjs FOLDER tests/Ghpo.Tests/Models/Fixtures/forward.json
//
// The weights are a function of tensor name and index that the test computes as well, so they are not stored. float32 weights, float32 KV cache, one thread.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, out] = process.argv.slice(2);
const { getLlama } = await import(pathToFileURL(join(resolve(folder), "node_modules/node-llama-cpp/dist/index.js")));

const common = { vocabulary: 320, hidden: 64, inner: 160, layers: 3, heads: 4, keyValueHeads: 2, headSize: 16, positions: 256, epsilon: 1e-6, theta: 10000 };
const scaling = { factor: 8, low: 1, high: 4, original: 64 };
const cases = [
  { name: "qwen2-tied", type: "qwen2", ...common, tied: true, bias: true },
  { name: "qwen2-untied", type: "qwen2", ...common, tied: false, bias: true, theta: 1000000 },
  { name: "qwen3-wide-heads", type: "qwen3", ...common, tied: true, headSize: 24, norms: true },
  { name: "qwen3-untied", type: "qwen3", ...common, tied: false, norms: true, keyValueHeads: 4 },
  { name: "llama-tied", type: "llama", ...common, tied: true, epsilon: 1e-5 },
  { name: "llama3-scaled", type: "llama", ...common, tied: false, scaling, keyValueHeads: 1 },
];

// Counter-based: element i of a tensor is a hash of the tensor's name and i.
const mix = (h) => {
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
};
const nameHash = (name) => [...name].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 0x01000193) >>> 0, 0x811c9dc5);
const weights = (name, shape) => {
  const seed = nameHash(name);
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const one = shape.length === 1 && !name.endsWith("bias");
  const scale = shape.length === 1 ? 0.25 : name.includes("embed_tokens") ? 0.3 : 2 / Math.sqrt(shape[1]);
  for (let i = 0; i < values.length; i++) {
    const u = mix(seed + Math.imul(i, 0x9e3779b9)) / 4294967296;
    values[i] = (one ? 1 : 0) + (2 * u - 1) * scale;
  }
  return values;
};

// GGUF, version 3.
const text = (s) => { const b = Buffer.from(s); const n = Buffer.alloc(8); n.writeBigUInt64LE(BigInt(b.length)); return Buffer.concat([n, b]); };
const u32 = (v) => { const b = Buffer.alloc(4); b.writeUInt32LE(v); return b; };
const u64 = (v) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(v)); return b; };
const f32 = (v) => { const b = Buffer.alloc(4); b.writeFloatLE(v); return b; };
const kv = {
  u32: (key, v) => Buffer.concat([text(key), u32(4), u32(v)]),
  f32: (key, v) => Buffer.concat([text(key), u32(6), f32(v)]),
  text: (key, v) => Buffer.concat([text(key), u32(8), text(v)]),
  texts: (key, v) => Buffer.concat([text(key), u32(9), u32(8), u64(v.length), ...v.map(text)]),
  i32s: (key, v) => Buffer.concat([text(key), u32(9), u32(5), u64(v.length), Buffer.from(Int32Array.from(v).buffer)]),
};

// llama.cpp turns neighbouring pairs in the llama architecture, Hugging Face element i with i + D/2: rows of each head are interleaved.
const interleave = (values, heads, size, width) => {
  const result = new Float32Array(values.length);
  for (let h = 0; h < heads; h++)
    for (let i = 0; i < size; i++) {
      const target = h * size + (i < size / 2 ? 2 * i : 2 * (i - size / 2) + 1);
      result.set(values.subarray((h * size + i) * width, (h * size + i + 1) * width), target * width);
    }
  return result;
};

const gguf = (c) => {
  const tensors = [];
  const add = (name, hugging, shape, change = (v) => v) => tensors.push({ name, shape, values: change(weights(hugging, shape)) });
  const queries = c.heads * c.headSize, keys = c.keyValueHeads * c.headSize, llama = c.type === "llama";
  add("token_embd.weight", "model.embed_tokens.weight", [c.vocabulary, c.hidden]);
  for (let i = 0; i < c.layers; i++) {
    const from = `model.layers.${i}.`, to = `blk.${i}.`;
    add(`${to}attn_norm.weight`, `${from}input_layernorm.weight`, [c.hidden]);
    add(`${to}ffn_norm.weight`, `${from}post_attention_layernorm.weight`, [c.hidden]);
    for (const [letter, size, heads] of [["q", queries, c.heads], ["k", keys, c.keyValueHeads], ["v", keys, 0]]) {
      add(`${to}attn_${letter}.weight`, `${from}self_attn.${letter}_proj.weight`, [size, c.hidden], (v) => (llama && heads ? interleave(v, heads, c.headSize, c.hidden) : v));
      if (c.bias) add(`${to}attn_${letter}.bias`, `${from}self_attn.${letter}_proj.bias`, [size]);
      if (c.norms && heads) add(`${to}attn_${letter}_norm.weight`, `${from}self_attn.${letter}_norm.weight`, [c.headSize]);
    }
    add(`${to}attn_output.weight`, `${from}self_attn.o_proj.weight`, [c.hidden, queries]);
    add(`${to}ffn_gate.weight`, `${from}mlp.gate_proj.weight`, [c.inner, c.hidden]);
    add(`${to}ffn_up.weight`, `${from}mlp.up_proj.weight`, [c.inner, c.hidden]);
    add(`${to}ffn_down.weight`, `${from}mlp.down_proj.weight`, [c.hidden, c.inner]);
  }
  add("output_norm.weight", "model.norm.weight", [c.hidden]);
  if (!c.tied) add("output.weight", "lm_head.weight", [c.vocabulary, c.hidden]);
  if (c.scaling) {
    const factors = Float32Array.from({ length: c.headSize / 2 }, (_, i) => {
      const wavelength = 2 * Math.PI * c.theta ** ((2 * i) / c.headSize), s = c.scaling;
      if (wavelength < s.original / s.high) return 1;
      if (wavelength > s.original / s.low) return s.factor;
      const smooth = (s.original / wavelength - s.low) / (s.high - s.low);
      return 1 / ((1 - smooth) / s.factor + smooth);
    });
    tensors.push({ name: "rope_freqs.weight", shape: [c.headSize / 2], values: factors });
  }

  const a = c.type;
  const tokens = Array.from({ length: c.vocabulary }, (_, i) => (i === 0 ? "a" : i === 1 ? "b" : i === 2 ? "ab" : `<${i}>`));
  const keysOfFile = [
    kv.text("general.architecture", a), kv.u32(`${a}.context_length`, c.positions), kv.u32(`${a}.embedding_length`, c.hidden), kv.u32(`${a}.block_count`, c.layers),
    kv.u32(`${a}.feed_forward_length`, c.inner), kv.u32(`${a}.attention.head_count`, c.heads), kv.u32(`${a}.attention.head_count_kv`, c.keyValueHeads),
    kv.u32(`${a}.attention.key_length`, c.headSize), kv.u32(`${a}.attention.value_length`, c.headSize), kv.u32(`${a}.rope.dimension_count`, c.headSize),
    kv.f32(`${a}.attention.layer_norm_rms_epsilon`, c.epsilon), kv.f32(`${a}.rope.freq_base`, c.theta), kv.u32(`${a}.vocab_size`, c.vocabulary),
    kv.text("tokenizer.ggml.model", "gpt2"), kv.text("tokenizer.ggml.pre", "gpt-2"), kv.texts("tokenizer.ggml.tokens", tokens),
    kv.i32s("tokenizer.ggml.token_type", tokens.map(() => 1)), kv.texts("tokenizer.ggml.merges", ["a b"]), kv.u32("tokenizer.ggml.bos_token_id", 3), kv.u32("tokenizer.ggml.eos_token_id", 4),
  ];
  const infos = [];
  let offset = 0;
  for (const t of tensors) {
    infos.push(Buffer.concat([text(t.name), u32(t.shape.length), ...[...t.shape].reverse().map(u64), u32(0), u64(offset)]));
    offset += Math.ceil((t.values.length * 4) / 32) * 32;
  }
  const head = Buffer.concat([Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(keysOfFile.length), ...keysOfFile, ...infos]);
  const pad = (b) => Buffer.concat([b, Buffer.alloc((32 - (b.length % 32)) % 32)]);
  return Buffer.concat([pad(head), ...tensors.map((t) => pad(Buffer.from(t.values.buffer)))]);
};

const work = mkdtempSync(join(tmpdir(), "ghpo-forward-"));
const recorded = [];
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: "error" });
for (const c of cases) {
  const file = join(work, `${c.name}.gguf`);
  writeFileSync(file, gguf(c));
  const model = await llama.loadModel({ modelPath: file, useMmap: false });
  const context = await model.createContext({ contextSize: 128, batchSize: 128, sequences: 1, threads: 1, flashAttention: false, experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32" });
  const tokens = Array.from({ length: 96 }, (_, i) => mix(nameHash(c.name) + i) % c.vocabulary);
  const results = await context.getSequence().controlledEvaluate(tokens.map((token) => [token, { generateNext: { logits: true } }]));
  const logProbs = results.map((result) => {
    const logits = new Float64Array(c.vocabulary).fill(NaN);
    for (const [token, logit] of result.next.logits) logits[token] = logit;
    const most = logits.reduce((x, y) => Math.max(x, y), -Infinity);
    const sum = Math.log(logits.reduce((x, y) => x + Math.exp(y - most), 0)) + most;
    return Array.from(logits, (x) => x - sum);
  });
  recorded.push({
    ...c,
    tokens,
    // Of the token that follows, at every position but the last; there of every token.
    next: logProbs.slice(0, -1).map((row, i) => Number(row[tokens[i + 1]].toFixed(7))),
    last: logProbs.at(-1).map((x) => Number(x.toFixed(7))),
  });
  console.log(c.name, recorded.at(-1).next.slice(0, 4).join(" "), Math.max(...recorded.at(-1).last));
  await context.dispose();
  await model.dispose();
}
writeFileSync(out, `[\n${recorded.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`);
rmSync(work, { recursive: true });
process.exit(0);
