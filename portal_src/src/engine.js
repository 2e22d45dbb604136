// The search itself, without a page: datasets by their words, communes by their former and present names.
import { apart, differing, indexed, knows, lettersOf, worthOf } from "./index.js";
import { fold, lower, words } from "./vietnamese.js";

const KINDS = /^(xã|phường|thị trấn|đặc khu|huyện|thị xã|thành phố) (?!\d)/;

export function engine({ datasets, places }) {
  const index = indexed(datasets.map((one) => [one.t, `${one.k} ${one.d}`]), [4, 1]);
  const byPlace = new Set(datasets.filter((one) => one.c).map((one) => one.s));
  const titles = new Map(datasets.map((one) => [one.s, one]));
  const folded = datasets.map((one) => ` ${fold(one.t)}`);
  return { index, slugs: datasets.map((one) => one.s), byPlace, titles, folded, names: namesOf(places) };
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

// `tan tru` for `Xã Bình Lãng (Huyện Tân Trụ)`; of what is in no district nothing can be said.
const districtOf = (hit) => fold(lower(/\((.*)\)/.exec(hit.as ?? "")?.[1] ?? "-").replace(KINDS, "")) || "-";

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
        // A district is meant when no commune bears the name; of several of one name, the one whose district is named as well.
        const communes = hits.filter((hit) => !hit.district);
        const around = ` ${[...folded.slice(0, start), ...folded.slice(start + length)].join(" ")} `;
        const inDistrict = communes.filter((hit) => around.includes(` ${districtOf(hit)} `));
        const meant = inDistrict.length ? inDistrict : communes.length ? communes : hits;
        const ordered = [...meant].sort((one, other) => exact(other) - exact(one));
        return { hits: ordered, rest: [...tokens.slice(0, start), ...tokens.slice(start + length)] };
      }
    }
  }
  return { hits: [], rest: tokens };
}

function nearest(names, key) {
  const letters = lettersOf(key);
  for (const [name, hits] of names) if (differing(lettersOf(name), letters) <= 2 && apart(name, key, 1) <= 1) return hits;
  return undefined;
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

// As typed; else with letters wrong in words that nobody knows, one of four letters and two of eight; else some of the words.
const editsIn = (word) => (word.length < 4 ? 0 : Math.min(2, Math.round(word.length / 5)));
const PASSES = [[every, () => 0], [every, editsIn], [some, () => 0]];

function ask({ index, slugs, folded }, typed, preferred, strict = false) {
  // A single letter begins too many words to tell anything.
  const tokens = typed.filter((word, place) => word.length > 1 || place < typed.length - 1);
  if (!tokens.length) return [];
  const phrase = ` ${tokens.map(fold).join(" ")}`;
  for (const [combine, edits] of strict ? PASSES.slice(0, 1) : PASSES) {
    const worths = tokens.map((word, place) =>
      worthOf(index, word, { prefix: place === tokens.length - 1 || word.length > 3, edits: knows(index, word) ? 0 : edits(word) }));
    const found = [];
    for (let place = 0; place < index.size; place++) {
      const worth = combine(worths, place);
      // The words side by side in a title, and figures by commune where one is named, count for more.
      if (worth) found.push([worth * (folded[place].includes(phrase) ? 2 : 1) * (preferred?.has(slugs[place]) ? 1.5 : 1), place]);
    }
    if (found.length) return found.sort((a, b) => b[0] - a[0] || a[1] - b[1]).map(([, place]) => slugs[place]);
  }
  return [];
}

function every(worths, place) {
  let sum = 0;
  for (const worth of worths) {
    if (!worth[place]) return 0;
    sum += worth[place];
  }
  return sum;
}

function some(worths, place) {
  let [sum, met] = [0, 0];
  for (const worth of worths) {
    sum += worth[place];
    met += worth[place] > 0;
  }
  return (sum * met) / worths.length;
}
