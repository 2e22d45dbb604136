// The slowest key press, in ms: every shared case typed letter by letter into the search, five rounds, the median round.
import { readFileSync } from "node:fs";
import { engine, search } from "./src/engine.js";

const cases = JSON.parse(readFileSync(new URL("../tests/portal/cases.json", import.meta.url))).search;
const known = engine(JSON.parse(readFileSync(process.argv[2])));
const rounds = [];
for (let round = 0; round < 5; round++) {
  let slowest = 0;
  for (const { q } of cases) {
    for (let length = 1; length <= q.length; length++) {
      const began = performance.now();
      search(known, q.slice(0, length));
      slowest = Math.max(slowest, performance.now() - began);
    }
  }
  rounds.push(slowest);
}
console.log(rounds.sort((a, b) => a - b)[2]);
