// Vietnamese text as khochung/sql/vietnamese.sql and khochung/portal/vietnamese.py treat it; one table of cases tests all three.
const MARKED = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ";
const PLAIN = "aaaaaaaaaaaaaaaaadeeeeeeeeeeeiiiiiooooooooooooooooouuuuuuuuuuuyyyyy";
const plain = new Map([...MARKED].map((letter, place) => [letter, PLAIN[place]]));

export function lower(text) {
  // Icelandic eth and African d look like đ and are typed for it.
  return text.normalize("NFC").replace(/[\u00d0\u0189\u00f0]/g, "đ").toLowerCase();
}

export function fold(text) {
  let folded = "";
  for (const letter of lower(text)) folded += plain.get(letter) ?? letter;
  return folded.replace(/[^a-z0-9]+/g, " ").trim();
}

export function words(text) {
  return lower(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}
