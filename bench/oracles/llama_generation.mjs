// Tokens a second of llama.cpp, through the npm package node-llama-cpp, with a sequence an answer in one batch.
//
//   node llama_generation.mjs NODE_MODULES MODEL.gguf THREADS PROMPT_TOKENS NEW_TOKENS FLASH(0|1) SEQUENCES...
//
// Prints a line "sequences tokens/s" for each number of sequences. The best case for it: a context of exactly the needed size, the most likely token is
// taken (no sampling), one unmeasured generation goes before.
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const [modules, file, threads, promptTokens, newTokens, flash, ...counts] = process.argv.slice(2);
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(join(modules, "node-llama-cpp", "dist", "index.js")));
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, maxThreads: Number(threads), logLevel: LlamaLogLevel.error });
const model = await llama.loadModel({ modelPath: file, useMmap: false });
for (const count of counts.map(Number)) {
    const length = Number(promptTokens) + Number(newTokens) + 1;
    const context = await model.createContext({
        sequences: count, contextSize: length, batchSize: Math.max(512, count), flashAttention: flash === "1", threads: Number(threads),
        performanceTracking: false,
    });
    const sequences = Array.from({ length: count }, () => context.getSequence());
    async function answer(sequence, index, tokens) {
        await sequence.clearHistory();
        const prompt = Array.from({ length: Number(promptTokens) }, (_, i) => (i * 7 + (index >> 3) * 31) % 256);
        let generated = 0;
        for await (const _ of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
            if (++generated === tokens) break;
        }
        return generated;
    }
    await Promise.all(sequences.map((sequence, i) => answer(sequence, i, 8)));
    const started = process.hrtime.bigint();
    const generated = await Promise.all(sequences.map((sequence, i) => answer(sequence, i, Number(newTokens))));
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    console.log(count, generated.reduce((a, b) => a + b) / seconds);
    await context.dispose();
}
process.exit(0);
