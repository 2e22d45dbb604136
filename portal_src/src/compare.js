// Compare two versions of a dataset: both CSV files are read here, nothing is asked of the server but them.
import { parse } from "./csv.js";
import { difference } from "./difference.js";
import { element, folderOf, number, read, remember, say, versionsOf } from "./page.js";
import { columns, shown } from "./schema.js";

const MOST = 200;
const form = document.querySelector("form.compare");
const output = document.querySelector(".difference");
const { dataset, from, to } = form?.elements ?? {};
const asked = new URL(location.href).searchParams;

function options(select, values, chosen) {
  select.replaceChildren(...values.map((value) => element("option", { value, selected: value === chosen }, value)));
}

async function choose(wanted = {}) {
  const versions = await versionsOf(dataset.value);
  options(from, versions, wanted.from ?? versions[1]);
  options(to, versions, wanted.to ?? versions[0]);
}

async function compare() {
  const slug = dataset.value;
  remember({ dataset: slug, from: from.value, to: to.value });
  if (from.value === to.value) {
    output.replaceChildren(element("p", {}, say("Hai phiên bản giống nhau: hãy chọn hai phiên bản khác nhau.", "These are the same version: choose two different ones.")));
    return;
  }
  const [old, fresh] = [from.value, to.value].map((version) => folderOf(slug, version));
  const [left, right, before, after] = await Promise.all([
    read(`${old}${slug}.csv`, "text"), read(`${fresh}${slug}.csv`, "text"),
    read(`${old}datapackage.json`, "json"), read(`${fresh}datapackage.json`, "json"),
  ]);
  const known = new Map([...columns(before), ...columns(after)].map((column) => [column.name, column]));
  const key = [...known.values()].filter((column) => column.key).map((column) => column.name);
  const tables = [parse(left), parse(right)];
  show(difference(...tables, key), tables, known, key);
}

function show(found, [left, right], known, key) {
  const { added, removed, changed, gone, fresh } = found;
  const total = added.length + removed.length + changed.length;
  const summary = element("p", { class: "lead" }, total
    ? `${say("Thêm", "Added")} ${number(added.length)}, ${say("bớt", "removed")} ${number(removed.length)}, ${say("sửa", "changed")} ${number(changed.length)} ${say("dòng", "rows")}.`
    : say("Hai phiên bản có cùng các dòng.", "Both versions have the same rows."));
  const schema = [...gone.map((name) => `− ${name}`), ...fresh.map((name) => `+ ${name}`)];
  const label = (names, row) => key.map((name) => shown(row[names.indexOf(name)], known.get(name))).join(" · ");
  const facts = (names, row) => names.filter((name) => !key.includes(name) && row[names.indexOf(name)] !== "")
    .map((name) => `${known.get(name).label}: ${shown(row[names.indexOf(name)], known.get(name))}`).join("; ");
  const lines = [
    ...changed.map(({ row, cells }) => element("tr", {}, element("th", { scope: "row" }, label(right[0], row)), element("td", {}, say("sửa", "changed")),
      element("td", {}, ...cells.flatMap((cell, place) => [place ? "; " : "", `${known.get(cell.name).label}: `,
        element("del", {}, shown(cell.from, known.get(cell.name)) || "–"), " → ", element("ins", {}, shown(cell.to, known.get(cell.name)) || "–")])))),
    ...added.map((row) => line("added", say("thêm", "added"), label(right[0], row), facts(right[0], row))),
    ...removed.map((row) => line("removed", say("bớt", "removed"), label(left[0], row), facts(left[0], row))),
  ];
  const heads = [key.map((name) => known.get(name).label).join(" · "), say("Thay đổi", "Change"), say("Nội dung", "What")];
  output.replaceChildren(summary,
    ...(schema.length ? [element("p", {}, `${say("Cột", "Columns")}: ${schema.join(", ")}`)] : []),
    ...(total ? [element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": say("Các dòng khác nhau", "Rows that differ") },
      element("table", {}, element("caption", {}, lines.length > MOST ? say(`${MOST} khác biệt đầu trong ${number(total)}`, `The first ${MOST} of ${number(total)} differences`) : say("Mọi khác biệt", "All differences")),
        element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
        element("tbody", {}, ...lines.slice(0, MOST))))] : []));
}

function line(name, word, label, text) {
  return element("tr", { class: name }, element("th", { scope: "row" }, label), element("td", {}, word), element("td", {}, text));
}

const fail = (error) => output.replaceChildren(element("p", { class: "held" }, `${say("Không đọc được hai tệp", "The files could not be read")}: ${error.message}`));
async function start() {
  if ([...dataset.options].some((option) => option.value === asked.get("dataset"))) dataset.value = asked.get("dataset");
  await choose({ from: asked.get("from"), to: asked.get("to") });
  if (asked.has("from")) await compare();
}

if (form) {
  start().catch(fail);
  dataset.addEventListener("change", () => choose().then(compare).catch(fail));
  for (const select of [from, to]) select.addEventListener("change", () => compare().catch(fail));
}
