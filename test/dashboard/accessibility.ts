// What axe-core finds wrong with a page for those who do not see it or have no mouse.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Another theme is nothing but other colours. */
const OF_COLOURS = { runOnly: ["color-contrast", "link-in-text-block"] };

/** What a page, or the part of it that `within` selects, must not have: violations that keep somebody out. */
export async function seriousViolations(
  page: Page,
  within = "html",
  options: object = {},
): Promise<string[]> {
  if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(AXE);
  const { violations } = (await page.evaluate(
    `axe.run(${JSON.stringify(within)}, ${JSON.stringify(options)})`,
  )) as AxeResults;
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}

/** The same in both themes: everything as it is, and the colours of the other one. */
export async function seriousInBothThemes(page: Page, within = "html"): Promise<string[]> {
  const found = await seriousViolations(page, within);
  const isDark = await page.evaluate<boolean>("matchMedia('(prefers-color-scheme: dark)').matches");
  await page.emulateMedia({ colorScheme: isDark ? "light" : "dark" });
  const foundOther = await seriousViolations(page, within, OF_COLOURS);
  await page.emulateMedia({ colorScheme: isDark ? "dark" : "light" });
  return [...found, ...foundOther.map((text) => `in the other theme ${text}`)];
}
