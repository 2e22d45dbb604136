// The search itself, without a page: datasets by their words, communes by their former and present names.
import MiniSearch from "minisearch";
import { fold, lower, words } from "./vietnamese.js";

const KINDS = /^(xã|phường|thị trấn|đặc khu|huyện|thị xã|thành phố) (?!\d)/;

// Every word is indexed as it is written and without accents: who types accents ranks exact words first, who does not finds all.
const spellings = (word) => [...new Set([word, fold(word).replaceAll(" ", "")])].filter(Boolean);

export function engine({ datasets, places }) {
  const index = new MiniSearch({
    idField: "s",
    fields: ["title", "rest"],
    extractField: (one, name) => (name === "title" ? one.t : name === "rest" ? `${one.k} ${one.d}` : one[name]),
    tokenize: words,
    processTerm: spellings,
    searchOptions: { boost: { title: 4 }, processTerm: (term) => term, combineWith: "AND" },
  });
  index.addAll(datasets);
  const byPlace = new Set(datasets.filter((one) => one.c).map((one) => one.s));
  const titles = new Map(datasets.map((one) => [one.s, one]));
  const folded = new Map(datasets.map((one) => [one.s, ` ${fold(one.t)}`]));
  return { index, byPlace, titles, folded, names: namesOf(places) };
}

// Folded name -> communes that it may mean. `as`: the name as it is written, where it is not that of the commune today.
function namesOf(places) {
  const names = new Map();
  const add = (name, place, as, district = false) => {
    for (const key of new Set([fold(name), fold(lower(name).replace(KINDS, ""))])) {
      const found = names.get(key) ?? names.set(key, []).get(key);
      if (!found.some((one) => one.code === place.c)) found.push({ code: place.c, name: place.n, as, district });
    }
  };
  for (const place of places) add(place.n, place, null);
  for (const place of places) for (const old of place.o) add(old.replace(/ \(.*/, ""), place, old);
  for (const place of places) {
    for (const old of place.o) {
      const district = /\((.*)\)/.exec(old)?.[1];
      if (district) add(district, place, district, true);
    }
  }
  return names;
}

// The longest run of words that names a place, and the words around it.
function placeIn(names, tokens) {
  const folded = tokens.map(fold);
  for (const same of [(key) => names.get(key), (key) => (key.length > 5 ? nearest(names, key) : undefined)]) {
    for (let length = Math.min(6, tokens.length); length > 0; length--) {
      for (let start = 0; start + length <= tokens.length; start++) {
        const key = folded.slice(start, start + length).join(" ");
        const hits = key.length > 3 ? same(key) : undefined;
        if (!hits) continue;
        const asTyped = tokens.slice(start, start + length).join(" ");
        const exact = (hit) => lower(hit.as ?? hit.name).includes(asTyped);
        // A district is meant when no commune bears the name.
        const communes = hits.filter((hit) => !hit.district);
        const ordered = [...(communes.length ? communes : hits)].sort((a, b) => exact(b) - exact(a));
        return { hits: ordered, rest: [...tokens.slice(0, start), ...tokens.slice(start + length)] };
      }
    }
  }
  return { hits: [], rest: tokens };
}

function nearest(names, key) {
  for (const [name, hits] of names) if (oneEditApart(name, key)) return hits;
  return undefined;
}

// One letter more, less, other, or two swapped.
export function oneEditApart(a, b) {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const rest = (text, skip) => text.slice(start + skip);
  return (
    rest(a, 1) === rest(b, 1) || rest(a, 1) === rest(b, 0) || rest(a, 0) === rest(b, 1) ||
    (a[start] === b[start + 1] && a[start + 1] === b[start] && rest(a, 2) === rest(b, 2))
  );
}

// -> { places: [{code, name, as}], datasets: [slug …] the best first, place: the datasets have figures for places[0] }
export function search(known, query) {
  const { byPlace, names } = known;
  const tokens = words(query);
  const { hits, rest } = placeIn(names, tokens);
  const found = rest.length ? ask(known, rest, hits.length ? byPlace : null) : hits.length ? [...byPlace] : [];
  // What was taken for a place may be a word of a title.
  const also = hits.length && rest.length !== tokens.length ? ask(known, tokens, null, true) : [];
  return { places: hits, datasets: [...new Set([...also, ...found])] };
}

// As typed; else with a letter wrong here and there; else with some of the words only.
const PASSES = [["AND", false], ["AND", 0.2], ["OR", false]];

function ask({ index, folded }, typed, preferred, strict = false) {
  // A single letter begins too many words to tell anything.
  const tokens = typed.filter((word, place) => word.length > 1 || place < typed.length - 1);
  if (!tokens.length) return [];
  const phrase = ` ${tokens.map(fold).join(" ")}`;
  // The words side by side in a title, and figures by commune where one is named, count for more.
  const boostDocument = (slug) => (folded.get(slug).includes(phrase) ? 2 : 1) * (preferred?.has(slug) ? 1.5 : 1);
  for (const [combineWith, fuzzy] of strict ? PASSES.slice(0, 1) : PASSES) {
    const queries = tokens.map((word, place) => ({
      combineWith: "OR",
      queries: spellings(word),
      prefix: place === tokens.length - 1 || word.length > 3,
      fuzzy: (term) => (term.length < 4 ? false : fuzzy),
      boostTerm: (term) => (term === word ? 2 : 1),
    }));
    const found = index.search({ combineWith, queries }, { boostDocument });
    if (found.length) return found.map((one) => one.id);
  }
  return [];
}
