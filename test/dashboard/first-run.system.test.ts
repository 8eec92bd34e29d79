// A newcomer's first hour, by clicks alone, on the real thing: from the link that npm start prints to the first backup, a
// failing backup to its remedy, one file and the whole site brought back and undone, and a second node.
import { exec } from "node:child_process";
import { access, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureDashboardBuilt } from "#local/dashboard/build-dashboard.ts";
import { inheritedEnvironment } from "#local/own-process.ts";
import { PROJECT_ROOT } from "#local/serverless-file.ts";
import { holdS3 } from "#test/faults/hold.ts";
import { canCage } from "#test/helpers/can-cage.ts";
import { type Fleet, startFleet } from "#test/helpers/fleet.ts";
import { bytes } from "../../dashboard/lib/format.ts";
import { seriousInBothThemes } from "./accessibility.ts";
import { openTab, startBrowser, type Tab } from "./browser.ts";

const SITE = "shop.example.com";
const PATIENCE = { timeout: 90_000 };
const START_WORDPRESS = "Also start the restored WordPress, and ask it for its front page";
const BOOTED = (await canCage())
  ? /^The restored WordPress answered for its front page in [\d.]+ s\.$/
  : /^WordPress was not started: /;

let fleet: Fleet;
let browser: Browser;
let tab: Tab;
let page: Page;
beforeAll(async () => {
  const dashboardDir = await ensureDashboardBuilt();
  fleet = await startFleet({ stack: { dashboardDir } });
  await fleet.startDaemon();
  browser = await startBrowser();
  tab = await openTab(browser, { viewport: { width: 1280, height: 900 } });
  page = tab.page;
});
afterAll(async () => {
  await browser?.close();
  await fleet?.[Symbol.asyncDispose]();
});

/** On the site's page: starts a backup and waits for how it ends. */
async function backUp(): Promise<void> {
  await page.getByRole("button", { name: "Back up now" }).click();
  await page.getByRole("heading", { name: "Backing up" }).waitFor();
  await page.getByRole("heading", { name: "Backing up" }).waitFor({ state: "detached", ...PATIENCE });
}

const backupRows = () => page.getByRole("region", { name: "Backups" }).locator("tbody tr");

test("the link signs in, leaves no trace, and the first backup is three clicks away", async () => {
  const link = fleet.stack.dashboard?.signInLink() ?? "";
  const code = new URL(link).hash.slice("#code=".length);
  await page.goto(link);
  await page.getByRole("heading", { level: 1, name: "Fleet" }).waitFor();
  expect(page.url()).not.toContain(code);
  expect(tab.requests.filter((url) => url.includes(code))).toEqual([]);
  expect(await page.evaluate("JSON.stringify([{ ...sessionStorage }, { ...localStorage }])")).not.toContain(
    code,
  );
  await page.getByRole("row", { name: SITE }).getByText("Unprotected").waitFor();
  await page.getByRole("link", { name: SITE }).click();
  await page.getByText("No backup yet").waitFor();
  await backUp();
  await expect.poll(() => backupRows().count(), PATIENCE).toBe(1);
  await backupRows().getByText("Full").waitFor();
  const again = await openTab(browser);
  await again.page.goto(link);
  await again.page.getByText("This sign-in link was used before").waitFor();
  await again.page.context().close();
});

test("a running backup shows how far it is, and Stop stops it", async () => {
  using held = holdS3(fleet, "UploadPart");
  await page.getByLabel("Pack everything anew").check();
  await page.getByRole("button", { name: "Back up now" }).click();
  await held.reached();
  const running = page.getByRole("region", { name: "Backing up" });
  await running.getByText(/^\d+ %: [\d.]+ \wB of [\d.]+ \wB read, .* uploaded$/).waitFor(PATIENCE);
  await running.locator('[data-state="now"]', { hasText: "Packing and uploading" }).waitFor();
  await running.getByText(/^[\d.]+ \w?B\/s, about .* left$/).waitFor(PATIENCE);
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  held.release();
  await running.waitFor({ state: "detached", ...PATIENCE });
  await page.getByRole("region", { name: "Jobs" }).getByText("Stopped", { exact: true }).waitFor(PATIENCE);
  expect(await backupRows().count()).toBe(1);
});

test("a failing backup says what to do, and doing that makes it well", async () => {
  const config = join(fleet.demo.siteDir, "wp-config.php");
  const good = await readFile(config, "utf8");
  await writeFile(config, good.replace(/('DB_PASSWORD',\s*')[^']*/, "$1wrong"));
  try {
    await backUp();
    await page
      .getByRole("alert")
      .getByText("Check DB_USER and DB_PASSWORD in wp-config.php")
      .waitFor(PATIENCE);
    await page.getByText("Failing").waitFor();
  } finally {
    await writeFile(config, good);
  }
  await backUp();
  await expect.poll(() => backupRows().count(), PATIENCE).toBe(2);
  await page.getByRole("alert").waitFor({ state: "detached" });
});

test("one file is found in the archive, saved, and brought back", async () => {
  const lost = join(fleet.demo.siteDir, "wp-content", "plugins", "demo-shop", "demo-shop.php");
  const content = await readFile(lost);
  await rm(lost);
  await backupRows().first().getByRole("link").first().click();
  for (const name of ["wp-content", "plugins", "demo-shop"]) {
    await page.getByRole("table").getByRole("button", { name, exact: true }).click(PATIENCE);
  }
  const [saved] = await Promise.all([
    page.waitForEvent("download", PATIENCE),
    page.getByRole("button", { name: "Download wp-content/plugins/demo-shop/demo-shop.php" }).click(),
  ]);
  expect(saved.suggestedFilename()).toBe("demo-shop.php");
  expect(await readFile(await saved.path())).toEqual(content);
  await page.getByRole("checkbox", { name: "Choose wp-content/plugins/demo-shop/demo-shop.php" }).check();
  await page.getByRole("button", { name: "Restore 1 path" }).click();
  await page.getByRole("button", { name: "See what would happen" }).click();
  await page.getByText("Nothing was changed.").waitFor(PATIENCE);
  await expect(access(lost)).rejects.toThrow();
  await page.getByRole("button", { name: "Back", exact: true }).click();
  expect(await page.getByRole("button", { name: "Restore", exact: true }).isDisabled()).toBe(true);
  await page.getByLabel(/to confirm$/).fill(SITE);
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByText("Restored.").waitFor(PATIENCE);
  expect(await readFile(lost)).toEqual(content);
  await page.getByRole("button", { name: "Close" }).click();
});

test("the whole site goes back in time, and forward again by undo", async () => {
  const note = join(fleet.demo.siteDir, "wp-content", "written-after-the-backup.txt");
  await writeFile(note, "later");
  await page.reload();
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByLabel(/to confirm$/).fill(SITE);
  await page.getByRole("dialog").getByRole("button", { name: "Restore", exact: true }).click();
  await page.getByText("Restored.").waitFor(PATIENCE);
  await expect(access(note)).rejects.toThrow();
  await page.getByRole("button", { name: "Undo this restore" }).click();
  await page.getByLabel(`Type ${SITE} to confirm`).fill(SITE);
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await page.getByText("The site is as it was before the restore.").waitFor(PATIENCE);
  expect(await readFile(note, "utf8")).toBe("later");
  // The undo's dialog lies over the restore's.
  await page.getByRole("dialog", { name: "Undoing" }).getByRole("button", { name: "Close" }).first().click();
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

/** In the dialog that asks. */
async function proveWithWordPress(): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Prove this backup" });
  await dialog.getByLabel(START_WORDPRESS).check();
  await dialog.getByRole("button", { name: "Prove" }).click();
  await page.getByRole("dialog", { name: "Proving this backup" }).getByText(BOOTED).waitFor(PATIENCE);
}

test("a backup is downloaded, verified, proved, and held until the hold is lifted", async () => {
  await page.getByRole("button", { name: "Download", exact: true }).click();
  const link = page.getByRole("link", { name: /^Save / });
  const archive = await (await fetch((await link.getAttribute("href")) ?? "")).bytes();
  // As every file of zstd begins.
  expect(Buffer.from(archive.subarray(0, 4)).toString("hex")).toMatch(/28b52ffd|5[0-9a-f]2a4d18/);
  expect(await link.textContent()).toContain(`(${bytes(archive.length)})`);
  expect(await seriousInBothThemes(page, "dialog")).toEqual([]);
  await page.getByRole("button", { name: "Close" }).click();
  for (const [deed, found, badge] of [
    ["Verify", "Nothing wrong was found.", "Verified just now"],
    ["Prove", "Proved: it restores.", "Proved just now"],
  ] as const) {
    await page.getByRole("button", { name: deed, exact: true }).click();
    if (deed === "Prove") await proveWithWordPress();
    await page.getByText(found).waitFor(PATIENCE);
    expect(await seriousInBothThemes(page, "dialog")).toEqual([]);
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByText(badge).first().waitFor();
  }
  await page.getByText(/entries checked, .* imported\. A whole restore took .*WordPress/).waitFor();
  await page.getByRole("button", { name: "Hold", exact: true }).click();
  await page.getByLabel("Why").fill("court order");
  await page.getByRole("dialog").getByRole("button", { name: "Hold", exact: true }).click();
  await page.getByText("On hold", { exact: true }).waitFor();
  const remove = page.getByRole("button", { name: "Delete" });
  expect(await remove.isDisabled()).toBe(true);
  await page.getByRole("button", { name: "Lift hold" }).click();
  await page.getByRole("dialog").getByText("court order").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Lift hold" }).click();
  await page.getByText("On hold", { exact: true }).waitFor({ state: "detached" });
  expect(await remove.isDisabled()).toBe(false);
});

test("proofs by schedule start WordPress, too, where that is asked for; the job's row says what it answered", async () => {
  await page.getByRole("link", { name: SITE }).click();
  await page.getByRole("row", { name: /Verification .* WordPress (?:answered|was not started)/ }).waitFor();
  await page.getByRole("link", { name: "Settings" }).last().click();
  const panel = page.getByRole("region", { name: "Proof" });
  await panel.getByLabel("Check the newest backup").selectOption({ label: "Every Sunday at 05:00" });
  const [prove, start] = [panel.getByLabel(/^Prove it/), panel.getByLabel(START_WORDPRESS)];
  await start.check();
  await prove.uncheck();
  // Without the database there is nothing to start it on.
  expect([await start.isChecked(), await start.isDisabled()]).toEqual([false, true]);
  await prove.check();
  await panel.getByRole("button", { name: "Save" }).click();
  await panel.getByText("Saved.").waitFor();
  const saved = await fleet.operator.call("getSite", { id: fleet.siteId });
  expect(saved.proof).toMatchObject({ deep: true, boot: true, enabled: true });
  await page.reload();
  await start.waitFor();
  expect(await start.isChecked()).toBe(true);
});

test("another node is enrolled by one copied command, and the page notices", async () => {
  await page.getByRole("link", { name: "Nodes" }).click();
  await page.getByRole("button", { name: "Enrol a node" }).click();
  const command =
    (await page.getByRole("dialog").locator("code", { hasText: "backupd enroll" }).textContent(PATIENCE)) ??
    "";
  const env = {
    ...inheritedEnvironment(),
    PATH: `${join(PROJECT_ROOT, "bin")}:${dirname(process.execPath)}:${process.env["PATH"]}`,
  };
  await promisify(exec)(`${command} --name web2.example.com --state-dir ${join(fleet.dir, "node2")}`, {
    env,
  });
  await page.getByText("web2.example.com is enrolled.").waitFor(PATIENCE);
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("row", { name: "web2.example.com" }).getByText("Enrolled, not heard of").waitFor();
});

test("a node is disabled, enabled and removed; one with sites stays", async () => {
  const web1 = page.getByRole("link", { name: "web1.example.com" });
  await page.getByRole("link", { name: "web2.example.com" }).click();
  await page.getByRole("button", { name: "Disable" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await page.getByText("Disabled", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Enable" }).click();
  await page.getByText("Disabled", { exact: true }).waitFor({ state: "detached" });
  const remove = page.getByRole("button", { name: "Remove", exact: true });
  await remove.click();
  await page.getByLabel("Type web2.example.com to confirm").fill("web2.example.com");
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByRole("heading", { level: 1, name: "Nodes" }).waitFor();
  await web1.waitFor();
  expect(await page.getByRole("link", { name: "web2.example.com" }).count()).toBe(0);
  await web1.click();
  await remove.and(page.getByTitle("Remove its sites first; their backups stay")).waitFor();
  expect(await remove.isDisabled()).toBe(true);
});

test("and all the while the browser had nothing to complain about", () => {
  // The second use of the link is refused, in its own tab.
  expect(tab.complaints).toEqual([]);
});
