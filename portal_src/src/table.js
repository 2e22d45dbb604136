// On the page of a dataset: the whole table sorted and filtered, copying of snippets, and the address of this server in them.
import { parse } from "./csv.js";
import { element, number, read, remember, say } from "./page.js";
import { columns, shown } from "./schema.js";
import { fold } from "./vietnamese.js";

const STEP = 25;

for (const code of document.querySelectorAll(".code")) {
  const text = code.querySelector("code");
  text.textContent = text.textContent.replaceAll("https://…", location.origin);
  const button = code.querySelector(".copy");
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = say("Đã chép", "Copied");
  });
}

const viewer = document.querySelector(".viewer");
if (viewer) start();

function start() {
  const asked = new URL(location.href).searchParams;
  const state = { filter: asked.get("filter") ?? "", sort: asked.get("sort") ?? "", page: Number(asked.get("page")) || 1 };
  const tools = viewer.querySelector(".tools");
  const whole = element("button", { type: "button", onclick: () => load(state) }, say("Lọc, sắp xếp toàn bộ bảng", "Sort and filter the whole table"));
  tools.replaceChildren(whole);
  tools.hidden = false;
  if (asked.has("filter") || asked.has("sort")) load(state);
}

async function load(state) {
  try {
    await open(state);
  } catch (error) {
    viewer.querySelector(".tools").replaceChildren(element("p", { class: "held" }, `${say("Không đọc được bảng", "The table could not be read")}: ${error.message}`));
  }
}

async function open(state) {
  const [text, datapackage] = await Promise.all([read(viewer.dataset.csv, "text"), read(viewer.dataset.package, "json")]);
  const [names, ...rows] = parse(text);
  const known = columns(datapackage);
  const all = known.map((column) => ({ ...column, at: names.indexOf(column.name), hidden: names.indexOf(`${column.name}_suppressed`) }));
  const visible = all.filter((column) => !column.flag);
  const cell = (row, column) => (column.hidden >= 0 && row[column.hidden] === "true" ? null : shown(row[column.at], column));
  show({ state, rows, visible, cell });
}

function sorted(rows, visible, sort) {
  const down = sort.startsWith("-");
  const column = visible.find((one) => one.name === sort.replace("-", ""));
  if (!column) return rows;
  const { at, numeric } = column;
  const compare = numeric ? (a, b) => Number(a[at]) - Number(b[at]) : (a, b) => a[at].localeCompare(b[at], "vi");
  // Empty cells stay at the end, whichever way the rest is turned.
  const full = rows.filter((row) => row[at] !== "").sort(compare);
  return [...(down ? full.reverse() : full), ...rows.filter((row) => row[at] === "")];
}

function show({ state, rows, visible, cell }) {
  const tools = viewer.querySelector(".tools");
  const table = viewer.querySelector("table");
  const filter = element("input", { type: "search", id: "filter", value: state.filter });
  const back = element("button", { type: "button" }, say("Trang trước", "Previous"));
  const forth = element("button", { type: "button" }, say("Trang sau", "Next"));
  const folded = new Map();
  const matches = (row, wanted) => {
    if (!folded.has(row)) folded.set(row, ` ${fold(visible.map((column) => cell(row, column) ?? "").join(" "))}`);
    return wanted.every((word) => folded.get(row).includes(` ${word}`));
  };
  const draw = () => {
    const wanted = fold(state.filter).split(" ").filter(Boolean);
    const kept = sorted(wanted.length ? rows.filter((row) => matches(row, wanted)) : rows, visible, state.sort);
    const pages = Math.max(1, Math.ceil(kept.length / STEP));
    state.page = Math.min(Math.max(1, state.page), pages);
    remember({ filter: state.filter, sort: state.sort, page: state.page > 1 ? String(state.page) : "" });
    table.tBodies[0].replaceChildren(...kept.slice((state.page - 1) * STEP, state.page * STEP).map((row) => element("tr", {},
      ...visible.map((column) => {
        const text = cell(row, column);
        return element("td", { class: column.numeric && "n" }, text === null ? element("i", {}, say("ẩn", "hidden")) : text);
      }))));
    table.caption.textContent = `${number(kept.length)} / ${number(rows.length)} ${say("dòng", "rows")}, ${say("trang", "page")} ${state.page}/${number(pages)}`;
    back.disabled = state.page === 1;
    forth.disabled = state.page === pages;
    for (const head of table.tHead.rows[0].cells) {
      const name = head.dataset.column;
      head.ariaSort = state.sort === name ? "ascending" : state.sort === `-${name}` ? "descending" : null;
    }
  };
  for (const head of table.tHead.rows[0].cells) {
    const name = head.dataset.column;
    const turn = () => { state.sort = state.sort === name ? `-${name}` : name; state.page = 1; draw(); };
    const button = element("button", { type: "button", onclick: turn });
    button.append(...head.childNodes);
    head.replaceChildren(button);
  }
  filter.addEventListener("input", () => { state.filter = filter.value; state.page = 1; draw(); });
  back.addEventListener("click", () => { state.page--; draw(); });
  forth.addEventListener("click", () => { state.page++; draw(); });
  table.caption.setAttribute("role", "status");
  tools.replaceChildren(element("p", {}, element("label", { for: "filter" }, say("Lọc theo chữ bất kỳ", "Filter by any words")), filter), back, forth);
  draw();
}
