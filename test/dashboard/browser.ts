// A real Chromium for tests: one browser per file, a fresh context per use, and a list of everything that a page
// complained about, because a page that looks right and logs a policy violation is not right.
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const PROGRAMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export async function startBrowser(): Promise<Browser & AsyncDisposable> {
  const executablePath = PROGRAMS.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error("Chromium is not installed: apt-get install chromium.");
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--force-color-profile=srgb",
    ],
  });
}

export interface Tab {
  readonly page: Page;
  /** Uncaught errors, console errors and violations of the policy, in order, with the address that each is about. */
  readonly complaints: readonly string[];
  readonly requests: readonly string[];
}

export async function openTab(browser: Browser, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Berlin", ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("pageerror", (error) => complaints.push(`${error.name}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    complaints.push([message.text(), message.location().url].filter(Boolean).join(" "));
  });
  page.on("request", (request) => requests.push(request.url()));
  return { page, complaints, requests };
}

/** Signs in as somebody pastes a token. */
export async function signIn({ page }: Tab, url: string, token: string, path = "/"): Promise<void> {
  await page.goto(`${url}${path}`);
  await page.getByLabel("API token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
}
