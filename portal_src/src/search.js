// Search on the home page, in the catalogue and among the communes. The index is fetched when somebody is about to type.
import { engine, search } from "./engine.js";
import { element, number, read, remember, say } from "./page.js";

const SHOWN = 8;
const CARDS = 30;
const form = document.querySelector("form[data-search]");
const box = form.querySelector("input[name=q]");
const found = form.querySelector(".found");
const where = form.dataset.search;
const results = where === "catalogue" ? document.querySelector(".results") : null;
const cards = new Map(results ? [...results.children].map((card) => [card.id, card]) : []);
const more = element("button", { type: "button", hidden: true });
results?.after(more);
const count = form.querySelector(".count");
const selects = [...form.querySelectorAll("select")];
let ready;

const load = () => (ready ??= read(form.dataset.index, "json").then(engine));
const link = (template, key, anchor = "") => template.replace("_", key) + anchor;

function placeLinks(places, datasets, titles) {
  return places.slice(0, SHOWN).map((place) => {
    const address = link(form.dataset.commune, place.code);
    const inside = datasets.slice(0, 3).filter((slug) => titles.get(slug).c);
    return element("li", {},
      element("a", { href: address }, place.name),
      place.as ? element("span", {}, `${say("trước đây", "formerly")}: ${place.as}`) : null,
      ...inside.map((slug) => element("span", {},
        element("a", { href: link(form.dataset.commune, place.code, `#${slug}`) }, titles.get(slug).t))),
    );
  });
}

function datasetLinks(datasets, titles) {
  return datasets.slice(0, SHOWN).map((slug) => element("li", {},
    element("a", { href: link(form.dataset.dataset, slug) }, titles.get(slug).t),
    element("span", {}, titles.get(slug).d)));
}

function passes(card) {
  return selects.every((one) => !one.value || (card.dataset[one.name] ?? "").split(" ").includes(one.value));
}

// The first cards at once, the others when somebody asks for them: an answer is there before the next key is pressed.
function showCards(order) {
  const wanted = order ? order.map((slug) => cards.get(slug)).filter(Boolean) : [...cards.values()];
  const shown = wanted.filter(passes);
  const first = shown.slice(0, CARDS);
  if (first.length !== results.children.length || first.some((card, place) => card !== results.children[place])) results.replaceChildren(...first);
  more.hidden = shown.length <= CARDS;
  more.textContent = say(`Hiện cả ${number(shown.length)} bộ dữ liệu`, `Show all ${number(shown.length)} datasets`);
  more.onclick = () => {
    results.replaceChildren(...shown);
    more.hidden = true;
    shown[CARDS].querySelector("a").focus();
  };
  count.textContent = shown.length
    ? `${number(shown.length)} ${say("bộ dữ liệu", shown.length === 1 ? "dataset" : "datasets")}`
    : say("Không tìm thấy bộ dữ liệu nào. Thử ít từ hơn, hoặc bỏ bớt bộ lọc.", "No dataset found. Try fewer words, or fewer filters.");
}

async function update() {
  const query = box.value.trim();
  remember({ q: query, ...Object.fromEntries(selects.map((one) => [one.name, one.value])) });
  if (!query) {
    found.replaceChildren();
    if (results) showCards(null);
    return;
  }
  const known = await load();
  if (query !== box.value.trim()) return;
  const answer = search(known, query);
  const items = placeLinks(answer.places, where === "communes" ? [] : answer.datasets, known.titles);
  if (where === "home") items.push(...datasetLinks(answer.datasets, known.titles));
  if (results) showCards(answer.datasets);
  const nothing = element("p", {}, say("Không tìm thấy.", "Nothing found."));
  found.replaceChildren(...(items.length ? [element("ul", {}, ...items)] : results ? [] : [nothing]));
}

box.addEventListener("focus", load, { once: true });
// The long list is taken away when somebody is about to type, and not while they do.
if (results) box.addEventListener("focus", () => box.value || showCards(null), { once: true });
// Who opens the catalogue or the list of communes comes to search.
if (where !== "home") (window.requestIdleCallback ?? setTimeout)(load);
box.addEventListener("input", update);
selects.forEach((one) => one.addEventListener("change", update));
form.addEventListener("submit", (event) => {
  if (where === "home") return;
  event.preventDefault();
  const first = where === "communes" ? found.querySelector("a") : null;
  if (first) location.assign(first.href);
});

const asked = new URL(location.href).searchParams;
const filters = form.querySelector("details");
if (filters) {
  filters.hidden = false;
  filters.open = matchMedia("(min-width: 40rem)").matches || selects.some((one) => asked.get(one.name));
}
box.value = asked.get("q") ?? "";
for (const one of selects) one.value = [...one.options].some((o) => o.value === asked.get(one.name)) ? asked.get(one.name) : "";
if ([...asked].length) update();
