// npm run screenshots: every page of the dashboard in both themes, into docs/images/. From a seeded fleet on the local
// stack, by the same browser as the tests.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { ensureDashboardBuilt } from "#local/dashboard/build-dashboard.ts";
import { PROJECT_ROOT } from "#local/serverless-file.ts";
import { answerFiles } from "#test/dashboard/archive-listing.ts";
import { openTab, signIn, startBrowser } from "#test/dashboard/browser.ts";
import { type SeededFleet, seedFleet } from "#test/dashboard/seed-fleet.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";

const OUT = process.argv[2] ?? join(PROJECT_ROOT, "docs", "images");
const VIEW = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };

interface Shot {
  readonly name: string;
  readonly path: string;
  readonly view?: typeof VIEW;
  /** As much as a screen shows: what lies over a page is not made for more. */
  readonly isScreenful?: boolean;
  readonly before?: (page: Page) => Promise<void>;
}

await using master = await startMaster({ dashboardDir: await ensureDashboardBuilt() });
const fleet = await seedFleet(master);
await using browser = await startBrowser();
await mkdir(OUT, { recursive: true });
for (const colorScheme of ["light", "dark"] as const)
  await shootAll(browser, master, colorScheme, await shots(fleet));

async function shots({ nodes, sites }: SeededFleet): Promise<Shot[]> {
  const [good, bad] = [sites["shop.northwind.example"], sites["tickets.harbour.example"]];
  if (good === undefined || bad === undefined || nodes[1] === undefined)
    throw new Error("the seed has changed");
  return [
    { name: "fleet", path: "/" },
    { name: "fleet-narrow", path: "/", view: NARROW },
    { name: "site", path: `/sites/${good.id}` },
    { name: "site-narrow", path: `/sites/${good.id}`, view: NARROW },
    { name: "site-failing", path: `/sites/${bad.id}` },
    { name: "site-settings", path: `/sites/${good.id}/settings` },
    { name: "backup", path: `/backups/${good.last_backup_id}` },
    { name: "restore", path: `/backups/${good.last_backup_id}?restore`, isScreenful: true },
    { name: "nodes", path: "/nodes" },
    { name: "node", path: `/nodes/${nodes[1].id}` },
    {
      name: "enrol",
      path: "/nodes",
      isScreenful: true,
      before: async (page) => {
        await page.getByRole("button", { name: "Enrol a node" }).click();
        await page.getByText("Waiting for the node").waitFor();
      },
    },
    { name: "activity", path: "/activity" },
    { name: "settings", path: "/settings" },
  ];
}

async function shootAll(
  from: Browser,
  { url, admin }: Master,
  colorScheme: "light" | "dark",
  list: Shot[],
): Promise<void> {
  const { token } = await admin.call("createApiToken", { body: { label: "Ada", role: "admin" } });
  const tab = await openTab(from, { colorScheme, viewport: VIEW, reducedMotion: "reduce" });
  await answerFiles(tab.page);
  await tab.page.goto(url);
  await tab.page.getByRole("button", { name: "Sign in" }).waitFor();
  await tab.page.screenshot({ path: join(OUT, `sign-in-${colorScheme}.png`) });
  await signIn(tab, url, token);
  for (const { name, path, view = VIEW, isScreenful = false, before } of list) {
    await tab.page.setViewportSize(view);
    await tab.page.goto(`${url}${path}`);
    await tab.page.waitForLoadState("networkidle");
    await before?.(tab.page);
    // All of it: what is below the fold is a part of the page, too.
    await tab.page.screenshot({ path: join(OUT, `${name}-${colorScheme}.png`), fullPage: !isScreenful });
  }
  if (tab.complaints.length > 0) throw new Error(`The browser complained:\n${tab.complaints.join("\n")}`);
  await tab.page.context().close();
}
