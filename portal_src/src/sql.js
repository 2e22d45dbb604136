// SQL over the published tables, in a DuckDB that runs in this page. It is fetched at the first run, from this server only.
import { element, folderOf, number, read, remember, say, versionsOf } from "./page.js";
import { columns } from "./schema.js";

const MOST = 500;
const form = document.querySelector("form.sql");
const answer = document.querySelector(".answer");
const query = form.elements.query;
const tables = new Map([...document.querySelectorAll("[data-table]")].map((one) => [one.dataset.table, one]));
const loaded = new Set();
let session;

const tell = (text) => answer.replaceChildren(element("p", {}, text));

async function engine() {
  // The WebAssembly is published gzipped; to servers it is a file like any other.
  const { AsyncDuckDB, VoidLogger } = await import(form.dataset.engine);
  const response = await fetch(form.dataset.wasm);
  if (!response.ok) throw new Error(`${form.dataset.wasm}: ${response.status}`);
  const unpacked = await new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  const wasm = URL.createObjectURL(new Blob([unpacked], { type: "application/wasm" }));
  const database = new AsyncDuckDB(new VoidLogger(), new Worker(form.dataset.worker));
  await database.instantiate(wasm);
  URL.revokeObjectURL(wasm);
  await database.open({ query: { castDecimalToDouble: true, castBigIntToDouble: true, castDurationToTime64: true } });
  const connection = await database.connect();
  // Else it would ask for extensions at a place that is not ours.
  await connection.query("set autoinstall_known_extensions = false; set autoload_known_extensions = false;");
  await connection.query("create macro vi_search(value) as trim(regexp_replace(replace(strip_accents(lower(value)), 'đ', 'd'), '[^a-z0-9]+', ' ', 'g'))");
  return { database, connection };
}

// Types as the Data Package declares them; none is guessed.
const TYPES = { string: "varchar", integer: "bigint", number: "double", boolean: "boolean", date: "date", datetime: "timestamp" };
const described = new Map();

// -> { csv, columns } of the newest version of a table.
function describe(name) {
  if (!described.has(name)) described.set(name, fetched(tables.get(name).dataset.slug));
  return described.get(name);
}

async function fetched(slug) {
  const [version] = await versionsOf(slug);
  const folder = folderOf(slug, version);
  return { csv: `${folder}${slug}.csv`, columns: columns(await read(`${folder}datapackage.json`, "json")) };
}

async function load({ database, connection }, name) {
  const one = await describe(name);
  await database.registerFileText(`${name}.csv`, await read(one.csv, "text"));
  const types = one.columns.map((column) => `'${column.name}': '${TYPES[column.type] ?? "varchar"}'`);
  await connection.query(`create table "${name}" as select * from read_csv('${name}.csv', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', nullstr = '', columns = {${types.join(", ")}})`);
  loaded.add(name);
}

async function showColumns(name) {
  const { columns } = await describe(name);
  const list = columns.map((column) => element("li", {}, element("code", {}, column.name), " ", element("small", {}, TYPES[column.type] ?? column.type), ` ${column.label}`));
  const use = () => { query.value = `select *\nfrom ${name}\nlimit 20`; query.focus(); };
  tables.get(name).querySelector("summary").after(element("ul", { class: "plain" }, ...list), element("p", {}, element("button", { type: "button", onclick: use }, say("Dùng bảng này", "Use this table"))));
}

async function run() {
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    remember({ q: query.value, dataset: "" });
    if (!session) tell(say("Đang tải DuckDB…", "Loading DuckDB…"));
    const { connection } = await (session ??= engine());
    for (const name of tables.keys()) {
      if (loaded.has(name) || !new RegExp(`\\b${name}\\b`, "i").test(query.value)) continue;
      tell(`${say("Đang nạp bảng", "Loading table")} ${name}…`);
      await load(await session, name);
    }
    const began = performance.now();
    show(await connection.query(query.value), performance.now() - began);
  } catch (error) {
    answer.replaceChildren(element("p", { class: "held" }, error.message));
  }
  button.disabled = false;
}

function textOf(value, type) {
  if (value === null || value === undefined) return "";
  if (type.startsWith("Date")) return new Date(Number(value)).toISOString().slice(0, 10);
  if (type.startsWith("Timestamp")) return new Date(Number(value)).toISOString().slice(0, 19).replace("T", " ");
  return typeof value === "number" ? String(Math.round(value * 1e10) / 1e10) : String(value);
}

function show(result, milliseconds) {
  const fields = result.schema.fields.map((field) => ({ name: field.name, type: String(field.type) }));
  const numeric = fields.map((field) => /^(Int|Uint|Float|Decimal)/.test(field.type));
  const rows = [...result].map((row) => fields.map((field) => textOf(row[field.name], field.type)));
  const csv = [fields.map((field) => field.name), ...rows].map((row) => row.map(quoted).join(",")).join("\n");
  const address = URL.createObjectURL(new Blob([`${csv}\n`], { type: "text/csv" }));
  const counted = `${number(rows.length)} ${say("dòng", "rows")}, ${number(Math.round(milliseconds))} ms${rows.length > MOST ? say(`; hiện ${MOST} dòng đầu`, `; the first ${MOST} are shown`) : ""}`;
  answer.replaceChildren(
    element("p", {}, element("a", { href: address, download: "ket-qua.csv" }, say("Tải kết quả (CSV)", "Download the result (CSV)"))),
    element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": say("Kết quả", "Result") },
      element("table", { class: "preview" }, element("caption", {}, counted),
        element("thead", {}, element("tr", {}, ...fields.map((field, i) => element("th", { scope: "col", class: numeric[i] && "n" }, field.name)))),
        element("tbody", {}, ...rows.slice(0, MOST).map((row) => element("tr", {}, ...row.map((cell, i) => element("td", { class: numeric[i] && "n" }, cell))))))));
}

const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const asked = new URL(location.href).searchParams;
const first = [...tables.values()].find((one) => one.dataset.slug === asked.get("dataset")) ?? [...tables.values()][0];
query.value = asked.get("q") ?? (first ? `select *\nfrom ${first.dataset.table}\nlimit 20` : "");
for (const [name, one] of tables) one.addEventListener("toggle", () => showColumns(name).catch((error) => tell(error.message)), { once: true });
form.addEventListener("submit", (event) => { event.preventDefault(); run(); });
query.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(); });
