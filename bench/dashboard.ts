// node bench/dashboard.ts > bench/results/DATE-dashboard.md: how large the first load of the dashboard is, and when each
// page's largest part is painted, in fresh loads from a seeded fleet on this machine.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { ensureDashboardBuilt } from "#local/dashboard/build-dashboard.ts";
import { answerFiles } from "#test/dashboard/archive-listing.ts";
import { openTab, signIn, startBrowser } from "#test/dashboard/browser.ts";
import { seedFleet } from "#test/dashboard/seed-fleet.ts";
import { startMaster } from "#test/helpers/master.ts";

const LOADS = 5;
const LARGEST_PAINT_MS = `new Promise((resolve) =>
  new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true }))`;

const dir = await ensureDashboardBuilt();
await using master = await startMaster({ dashboardDir: dir });
const { sites, nodes } = await seedFleet(master);
await using browser = await startBrowser();
const site = sites["shop.northwind.example"];
const tab = await openTab(browser, { viewport: { width: 1280, height: 800 } });
const rows: [name: string, ms: number][] = [["signed out", await largestPaintMs(tab.page, "/", "form")]];
const { token } = await master.admin.call("createApiToken", { body: { label: "bench", role: "admin" } });
await answerFiles(tab.page);
await signIn(tab, master.url, token);
for (const [name, path] of Object.entries({
  fleet: "/",
  site: `/sites/${site?.id}`,
  "site settings": `/sites/${site?.id}/settings`,
  backup: `/backups/${site?.last_backup_id}`,
  nodes: "/nodes",
  node: `/nodes/${nodes[1]?.id}`,
  activity: "/activity",
  settings: "/settings",
}))
  rows.push([name, await largestPaintMs(tab.page, path, "h1")]);

process.stdout.write(`# The dashboard's first load

${new Date().toISOString().slice(0, 10)}, \`node bench/dashboard.ts\`: Chromium without a cache on the local stack of the same two shared processors, the
median of ${LOADS} loads each. A fleet of ${Object.keys(sites).length} sites. The largest paint may be 2,500 ms by Web Vitals; the first load 200 KB of script.

| page | largest paint (ms) |
|---|---|
${rows.map(([name, ms]) => `| ${name} | ${Math.round(ms)} |`).join("\n")}

| first load | gzip (KB) |
|---|---|
${(await firstLoad()).map(([name, size]) => `| ${name} | ${(size / 1024).toFixed(1)} |`).join("\n")}
`);

async function largestPaintMs(page: Page, path: string, last: string): Promise<number> {
  const times: number[] = [];
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
  for (let load = 0; load < LOADS; load += 1) {
    await page.goto(`${master.url}${path}`);
    await page.locator(last).first().waitFor();
    await page.waitForLoadState("networkidle");
    times.push(await page.evaluate<number>(LARGEST_PAINT_MS));
  }
  await cdp.detach();
  return times.toSorted((a, b) => a - b)[Math.floor(LOADS / 2)] ?? 0;
}

/** What index.html names, and for comparison everything that is loaded later. */
async function firstLoad(): Promise<[name: string, bytes: number][]> {
  const html = await readFile(join(dir, "index.html"), "utf8");
  const named = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map(([, path]) => path ?? "");
  const all = (await readdir(join(dir, "assets"))).map((name) => `assets/${name}`);
  const sizeOf = async (paths: readonly string[]): Promise<number> => {
    const sizes = await Promise.all(
      paths.map(async (path) => gzipSync(await readFile(join(dir, path))).length),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  return [
    ["scripts", await sizeOf(named.filter((path) => path.endsWith(".js")))],
    ["styles", await sizeOf(named.filter((path) => path.endsWith(".css")))],
    ["all pages' scripts and styles", await sizeOf([...new Set([...named, ...all])])],
  ];
}
