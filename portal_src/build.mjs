// Bundles src/ into khochung/portal/assets/. `--check` writes nothing and fails when a committed bundle is not of its sources.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const assets = fileURLToPath(new URL("../khochung/portal/assets/", import.meta.url));
const names = ["search", "table", "compare", "sql"];

const made = await build({
  absWorkingDir: here,
  entryPoints: names.map((name) => `src/${name}.js`),
  outdir: "out",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "none",
  write: false,
});

const stale = [];
for (const [place, file] of made.outputFiles.entries()) {
  const path = `${assets}${names[place]}.js`;
  const committed = await readFile(path, "utf8").catch(() => "");
  if (committed === file.text) continue;
  if (process.argv.includes("--check")) stale.push(`${names[place]}.js`);
  else await writeFile(path, file.text);
}
if (stale.length) {
  console.error(`${stale.join(", ")}: not what src/ gives; run "npm run build" in portal_src/ and commit the result`);
  process.exit(1);
}
