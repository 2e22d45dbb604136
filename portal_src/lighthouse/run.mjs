// Lighthouse's four scores (mobile) for the pages that matter: node run.mjs http://127.0.0.1:PORT
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const origin = process.argv[2].replace(/\/$/, "");
const wanted = { performance: 95, accessibility: 100, "best-practices": 100, seo: 100 };
const index = await (await fetch(`${origin}/api/v1/search.vi.json`)).json();
const paths = ["/", "/bo-du-lieu/", `/bo-du-lieu/${index.datasets[0].s}/`, "/truy-van/", "/en/"];
if (index.places.length) paths.push(`/xa/${index.places[0].c}/`);

const chrome = await launch({ chromePath: process.env.CHROMIUM ?? "/usr/bin/chromium", chromeFlags: ["--headless=new", "--no-sandbox"] });
let missed = 0;
for (const path of paths) {
  const { lhr } = await lighthouse(origin + path, { port: chrome.port, onlyCategories: Object.keys(wanted) });
  const scores = Object.entries(lhr.categories).map(([name, { score }]) => [name, Math.round(score * 100)]);
  missed += scores.filter(([name, score]) => score < wanted[name]).length;
  console.log(path.padEnd(48), ...scores.map(([name, score]) => `${name} ${score}`));
  for (const audit of Object.values(lhr.audits)) if (audit.score === 0 && audit.scoreDisplayMode === "binary") console.log("   ", audit.id);
}
await chrome.kill();
process.exitCode = missed ? 1 : 0;
