// The three files of the SQL engine, from the npm package into khochung/portal/engine/.
// The WebAssembly is kept gzipped, in the repository as on the site: 8 MB instead of 34, and the page unpacks it itself, so
// that no server need be set up for it.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const out = fileURLToPath(new URL("../../khochung/portal/engine/", import.meta.url));
const dist = dirname(createRequire(import.meta.url).resolve("@duckdb/duckdb-wasm/dist/duckdb-eh.wasm"));
await mkdir(out, { recursive: true });
await build({
  entryPoints: [`${dist}/duckdb-browser.mjs`],
  outfile: `${out}duckdb.mjs`,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "inline",
});
await copyFile(`${dist}/duckdb-browser-eh.worker.js`, `${out}worker.mjs`);
await writeFile(`${out}duckdb.wasm.gz`, gzipSync(await readFile(`${dist}/duckdb-eh.wasm`), { level: 9 }));
