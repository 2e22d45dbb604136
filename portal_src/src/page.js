// What all scripts of pages share.
export const vi = document.documentElement.lang !== "en";
export const say = (inVietnamese, inEnglish) => (vi ? inVietnamese : inEnglish);
export const number = (value) => value.toLocaleString(vi ? "vi-VN" : "en-GB");

// An element with its attributes and children; texts are texts, never markup.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

// The address says what is shown, so that it can be sent to somebody.
export function remember(values) {
  const address = new URL(location.href);
  for (const [key, value] of Object.entries(values)) {
    if (value) address.searchParams.set(key, value);
    else address.searchParams.delete(key);
  }
  history.replaceState(null, "", address);
  const other = document.querySelector("a.tongue");
  if (other) other.search = address.search;
}

export async function read(path, as) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response[as]();
}

// The public versions of a dataset, newest first.
export async function versionsOf(slug) {
  const { versions } = await read(`/data/${slug}/versions.json`, "json");
  return versions.filter((one) => !one.withdrawn).map((one) => one.version);
}

export const folderOf = (slug, version) => `/data/${slug}/v/${version}/`;
