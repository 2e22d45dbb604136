// RFC 4180, as the release writes it: an absent value is an empty field.
export function parse(text) {
  const rows = [];
  let row = [];
  let start = 0;
  let place = 0;
  while (place < text.length) {
    if (text[place] === '"') {
      let cell = "";
      for (;;) {
        const end = text.indexOf('"', place + 1);
        cell += text.slice(place + 1, end);
        place = end + 1;
        if (text[place] !== '"') break;
        cell += '"';
      }
      row.push(cell);
    } else {
      start = place;
      while (place < text.length && text[place] !== "," && text[place] !== "\n") place++;
      row.push(text.slice(start, place));
    }
    if (text[place] === ",") {
      place++;
      if (place < text.length && text[place] !== "\n") continue;
      row.push("");
    }
    rows.push(row);
    row = [];
    place++;
  }
  return rows;
}
