// node look.js JOBS.json: opens pages in Chromium, keeps a picture of each, and prints what was seen as JSON.
// A page that draws itself is waited for until all words of `awaits` are in it, or in a page within it.
const { chromium } = require("playwright-core");
const fs = require("fs");

const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

// Runs in the page: what is wider than the screen, which drawings can be seen, and which of their words are cut off.
function measure() {
  const width = document.documentElement.clientWidth;
  const seen = (one) => one.getBoundingClientRect().width > 0;
  const drawings = (figure) => [...figure.querySelectorAll("svg.panel")].filter(seen);
  const isCut = (word) => {
    const box = word.getBoundingClientRect();
    return box.left < -1 || box.right > width + 1;
  };
  return {
    overflow: document.documentElement.scrollWidth - width,
    figures: [...document.querySelectorAll("figure")].map((figure) =>
      drawings(figure).map((one) => ({ marks: one.querySelectorAll("path, rect, circle").length }))),
    cut: [...document.querySelectorAll("svg.panel text")].filter(seen).filter(isCut).map((one) => one.textContent),
  };
}

// What can be read, in the page and in the pages within it.
async function read(page) {
  const texts = page.frames().map((frame) => frame.evaluate(() => document.body.innerText).catch(() => ""));
  return (await Promise.all(texts)).join("\n");
}

async function awaited(page, words, limit_ms) {
  const began_ms = Date.now();
  let text = await read(page);
  while (!words.every((word) => text.includes(word)) && Date.now() - began_ms < limit_ms) {
    await page.waitForTimeout(200);
    text = await read(page);
  }
  return text;
}

async function violations(page, axe) {
  await page.addScriptTag({ path: axe });
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map((one) => ({ id: one.id, impact: one.impact, where: one.nodes.map((node) => node.target.join(" ")) }));
}

async function look(browser, axe, job) {
  const page = await browser.newPage({
    viewport: { width: job.width, height: job.height },
    colorScheme: job.scheme,
    bypassCSP: Boolean(job.axe), // the page lets no script in, axe is one
  });
  const said = [];
  page.on("console", (message) => message.type() === "error" && said.push(`${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => said.push(String(error)));
  await page.goto(job.url, { waitUntil: "load" });
  const text = await awaited(page, job.awaits ?? [], job.limit_ms ?? 0);
  const measured = await page.evaluate(measure);
  await page.screenshot({ path: job.picture, fullPage: true });
  const broken = job.axe ? await violations(page, axe) : [];
  await page.close();
  return { name: job.name, said, text, violations: broken, ...measured };
}

(async () => {
  const { browser: executablePath, axe, jobs } = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
  const browser = await chromium.launch({ executablePath, args: QUIET });
  const seen = [];
  for (const job of jobs) seen.push(await look(browser, axe, job));
  await browser.close();
  console.log(JSON.stringify(seen));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
