// Search on the home page, in the catalogue and among the communes. The index is fetched when somebody is about to type.
import { engine, search } from "./engine.js";
import { element, read, remember, say } from "./page.js";

const SHOWN = 8;
const CARDS = 60;
const form = document.querySelector("form[data-search]");
const box = form.querySelector("input[name=q]");
const found = form.querySelector(".found");
const where = form.dataset.search;
const results = where === "catalogue" ? document.querySelector(".results") : null;
const cards = results ? [...results.children] : [];
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

function showCards(order) {
  const wanted = order ? order.map((slug) => cards.find((card) => card.id === slug)).filter(Boolean) : cards;
  const shown = wanted.filter(passes);
  results.replaceChildren(...shown.slice(0, order || shown.length < cards.length ? CARDS : shown.length));
  count.textContent = shown.length
    ? `${shown.length} ${say("bộ dữ liệu", shown.length === 1 ? "dataset" : "datasets")}`
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
