// An index of words over a few thousand documents, made so that every answer takes a millisecond or two: what a word is worth
// in a document (BM25+) is worked out when the index is made, and a query adds up.
import { fold, words } from "./vietnamese.js";

const [SATURATION, LENGTH, FLOOR] = [1.2, 0.7, 0.5];
const PREFIX = 0.375;
const FUZZY = 0.45;

// Every word is indexed as it is written and without accents: who types accents ranks exact words first, who does not finds all.
export const spellings = (word) => [...new Set([word, fold(word).replaceAll(" ", "")])].filter(Boolean);

// `documents`: each a list of texts, one for each of `boosts`. -> { size, terms (sorted), letters, postings }, where a term's
// postings are two lists of one length: the documents that hold it, and its worth in each.
export function indexed(documents, boosts) {
  const postings = new Map();
  for (const [field, boost] of boosts.entries()) {
    const { found, lengths } = counted(documents.map((texts) => texts[field]));
    const average = lengths.reduce((sum, one) => sum + one, 0) / (documents.length || 1) || 1;
    for (const [term, { places, counts }] of found) {
      const rare = rarity(documents.length, places.length);
      const worths = places.map((place, i) => {
        const damped = (counts[i] * (SATURATION + 1)) / (counts[i] + SATURATION * (1 - LENGTH + (LENGTH * lengths[place]) / average));
        return boost * rare * (FLOOR + damped);
      });
      const known = postings.get(term);
      if (known) postings.set(term, [known[0].concat(places), known[1].concat(worths)]);
      else postings.set(term, [places, worths]);
    }
  }
  const terms = [...postings.keys()].sort();
  return { size: documents.length, terms, letters: terms.map(lettersOf), postings };
}

// How much it tells that a document holds a word: more, the fewer of all documents do.
const rarity = (all, holding) => Math.log(1 + Math.max(0.5, all - holding + 0.5) / (holding + 0.5));

// Term -> the texts that hold it, ascending, and how often; and how many words each text has.
function counted(texts) {
  const found = new Map();
  const known = new Map();
  const postingsOf = (word) => spellings(word).map((term) => found.get(term) ?? found.set(term, { places: [], counts: [] }).get(term));
  const lengths = texts.map((text, place) => {
    const all = words(text);
    for (const word of all) {
      let lists = known.get(word);
      if (!lists) known.set(word, (lists = postingsOf(word)));
      for (const { places, counts } of lists) {
        const last = places.length - 1;
        if (places[last] === place) counts[last]++;
        else {
          places.push(place);
          counts.push(1);
        }
      }
    }
    return all.length;
  });
  return { found, lengths };
}

// The worth of each document for one word of a query; 0 where it does not occur. `edits`: letters that may be wrong.
export function worthOf(index, word, { prefix, edits }) {
  const worth = new Float64Array(index.size);
  for (const spelling of spellings(word)) {
    const as = spelling === word ? 2 : 1;
    if (index.postings.has(spelling)) add(index, worth, spelling, as);
    if (prefix) {
      for (let place = after(index.terms, spelling); index.terms[place]?.startsWith(spelling); place++) {
        const term = index.terms[place];
        add(index, worth, term, (as * PREFIX * term.length) / (term.length + 0.3 * (term.length - spelling.length)));
      }
    }
    if (edits) {
      const letters = lettersOf(spelling);
      index.terms.forEach((term, place) => {
        if (differing(letters, index.letters[place]) > 2 * edits || term === spelling) return;
        const distance = apart(spelling, term, edits);
        // One word was meant, and the rare one is not the likelier one: the best counts, and rarity for nothing.
        const [places, worths] = index.postings.get(term);
        const weight = (as * FUZZY * term.length) / (term.length + distance) / rarity(index.size, places.length);
        if (distance <= edits) places.forEach((document, i) => (worth[document] = Math.max(worth[document], weight * worths[i])));
      });
    }
  }
  return worth;
}

// Whether any document holds the word, or one that begins like it.
export function knows(index, word) {
  return spellings(word).some((one) => index.postings.has(one) || index.terms[after(index.terms, one)]?.startsWith(one));
}

function add(index, worth, term, weight) {
  const [places, worths] = index.postings.get(term);
  for (let i = 0; i < places.length; i++) worth[places[i]] += weight * worths[i];
}

// The place of the first term behind `wanted`.
function after(terms, wanted) {
  let [low, high] = [0, terms.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (terms[middle] <= wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Which letters a word has, one bit for each: words with few edits between them differ in few bits, which is quick to see.
export function lettersOf(word) {
  let bits = 0;
  for (let i = 0; i < word.length; i++) bits |= 1 << (word.charCodeAt(i) & 31);
  return bits;
}

export function differing(a, b) {
  let [bits, count] = [a ^ b, 0];
  for (; bits; count++) bits &= bits - 1;
  return count;
}

// Letters more, less or other between two words (two swapped neighbours are one edit); anything above `most` is `most` + 1.
export function apart(a, b, most) {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let [before, previous] = [[], Array.from({ length: b.length + 1 }, (_, place) => place)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (same ? 0 : 1));
      if (!same && i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2] + 1);
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > most) return most + 1;
    [before, previous] = [previous, row];
  }
  return Math.min(previous[b.length], most + 1);
}
