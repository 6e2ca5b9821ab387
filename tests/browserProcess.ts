/**
 * What a browser would meet, see asBrowser.ts:
 *
 *   node --require ./scripts/typescript.js --require ./tests/asBrowser.ts tests/browserProcess.ts FILE...
 *
 * Prints as JSON which of these files of lib/ do not load, the backend, and what small models come to on it.
 */
import path from "node:path";

async function main(): Promise<void> {
  const unloaded = process.argv.slice(2).filter((file) => {
    try {
      require(path.join(__dirname, "..", file));
      return false;
    } catch (error) {
      if (/asks for/.test(String(error))) return true;
      throw error;
    }
  });
  const { describeBackend, tf } = await import("../lib/backend/tensors");
  const { smallModels } = await import("./smallModels");
  await tf.ready();
  const results = smallModels();
  console.log(
    JSON.stringify({ unloaded, backend: describeBackend(), tensors: tf.memory().numTensors, results }),
  );
}

void main();
