// The shared table of cases, on the index that the site publishes: node --test with CASES and INDEX, as tests/portal runs it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "../src/csv.js";
import { difference } from "../src/difference.js";
import { engine, search } from "../src/engine.js";
import { apart, differing, lettersOf } from "../src/index.js";
import { fold } from "../src/vietnamese.js";

const cases = JSON.parse(readFileSync(new URL("../../tests/portal/cases.json", import.meta.url)));

for (const [text, folded] of cases.fold) test(`fold ${text}`, () => assert.equal(fold(text), folded));

if (process.env.INDEX) {
  const known = engine(JSON.parse(readFileSync(process.env.INDEX)));
  for (const { q, place, dataset } of cases.search) {
    test(`search ${q}`, () => {
      const found = search(known, q);
      assert.equal(found.places[0]?.code ?? null, place);
      if (dataset) assert.equal(found.datasets[0], dataset);
    });
  }
}

test("exact accents come before folded ones", () => {
  const text = (s, t) => ({ s, t, d: "", k: "", c: 0 });
  const known = engine({ datasets: [text("duong", "dương xỉ"), text("street", "đường phố")], places: [] });
  assert.deepEqual(search(known, "đường").datasets, ["street", "duong"]);
  assert.deepEqual(search(known, "dương").datasets, ["duong", "street"]);
  assert.equal(search(known, "duong").datasets.length, 2);
});

test("edits between words, and letters that tell them apart at once", () => {
  for (const [a, b, edits] of [["tan tru", "tan truu", 1], ["tan tru", "tan tr", 1], ["tan tru", "tan tur", 1], ["tan tru", "tam tro", 2], ["ca", "abc", 3]]) {
    assert.equal(apart(a, b, 3), edits);
    assert.equal(apart(b, a, 3), edits);
    assert.ok(differing(lettersOf(a), lettersOf(b)) <= 2 * edits);
  }
  assert.equal(apart("nghiep", "doanh", 1), 2);
});

test("CSV as RFC 4180 has it", () => {
  assert.deepEqual(parse('a,b,c\n1,"x, ""y""\nz",\n,,3\n'), [["a", "b", "c"], ["1", 'x, "y"\nz', ""], ["", "", "3"]]);
  assert.deepEqual(parse("a,b\n1,"), [["a", "b"], ["1", ""]]);
});

test("the difference of two versions", () => {
  const left = parse("k,v,old\n1,a,x\n2,b,x\n3,c,x\n");
  const right = parse("v,k,new\na,1,\nB,2,\nd,4,\n");
  const found = difference(left, right, ["k"]);
  assert.deepEqual(found.added, [["d", "4", ""]]);
  assert.deepEqual(found.removed, [["3", "c", "x"]]);
  assert.deepEqual(found.changed, [{ row: ["B", "2", ""], cells: [{ name: "v", from: "b", to: "B" }] }]);
  assert.deepEqual([found.gone, found.fresh], [["old"], ["new"]]);
});
