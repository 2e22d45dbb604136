// Two versions of a table, compared by its key: pure, so that it can be tested without a page.

// `left`, `right`: parsed CSV with its header. -> { added, removed, changed, gone, fresh } where `gone` and `fresh` are columns.
export function difference(left, right, key) {
  const [before, ...oldRows] = left;
  const [after, ...newRows] = right;
  const identify = (names) => {
    const at = key.map((name) => names.indexOf(name));
    return (row) => at.map((place) => row[place]).join("\u0000");
  };
  const oldKey = identify(before);
  const newKey = identify(after);
  const standing = new Map(oldRows.map((row) => [oldKey(row), row]));
  const both = after.filter((name) => before.includes(name)).map((name) => [name, before.indexOf(name), after.indexOf(name)]);
  const added = [];
  const changed = [];
  for (const row of newRows) {
    const old = standing.get(newKey(row));
    standing.delete(newKey(row));
    if (!old) {
      added.push(row);
      continue;
    }
    const cells = both.filter(([, from, to]) => old[from] !== row[to]).map(([name, from, to]) => ({ name, from: old[from], to: row[to] }));
    if (cells.length) changed.push({ row, cells });
  }
  return {
    added, removed: [...standing.values()], changed,
    gone: before.filter((name) => !after.includes(name)), fresh: after.filter((name) => !before.includes(name)),
  };
}
