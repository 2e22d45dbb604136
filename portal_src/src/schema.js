// Columns as the Data Package beside the data describes them.
import { number, say, vi } from "./page.js";

export function columns(datapackage) {
  const { fields, primaryKey } = datapackage.resources.find((one) => one.schema).schema;
  const lang = vi ? "vi" : "en";
  const key = [primaryKey].flat();
  return fields.map((field) => ({
    name: field.name,
    label: field.titles?.[lang] ?? field.title ?? field.name,
    numeric: field.role === "measure" && /^(integer|number)$/.test(field.type),
    type: field.type,
    key: key.includes(field.name),
    codes: field.codes ?? {},
    flag: /_suppressed$/.test(field.name),
  }));
}

export function shown(text, column) {
  const lang = vi ? "vi" : "en";
  if (text === "") return "";
  if (column.codes[text]) return column.codes[text][lang];
  if (column.type === "boolean") return text === "true" ? say("có", "yes") : say("không", "no");
  if (column.type === "date") {
    const [year, month, day] = text.split("-").map(Number);
    return new Date(Date.UTC(year, month - 1, day)).toLocaleDateString(vi ? "vi-VN" : "en-GB", { timeZone: "UTC" });
  }
  return column.numeric ? number(Number(text)) : text;
}
