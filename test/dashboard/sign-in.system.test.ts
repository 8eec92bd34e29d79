// People sign in at their organisation's issuer, in a real browser against a real flow: they come back to where they were,
// stay as long as the issuer renews, are told when it is over, and leave nothing behind.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openIssuerKeys } from "#functions/stores/jwks.ts";
import { ensureDashboardBuilt } from "#local/dashboard/build-dashboard.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { CLIENT_ID } from "#test/helpers/oidc/grants.ts";
import { type OidcIssuer, startOidcIssuer } from "#test/helpers/oidc/issuer.ts";
import { seriousViolations } from "./accessibility.ts";
import { openTab, startBrowser, type Tab } from "./browser.ts";

const HOUR_MS = 3_600_000;
const PEOPLE = [
  { sub: "a1", email: "alice@example.com", groups: ["backupd-admin"] },
  { sub: "v1", email: "vera@example.com", groups: ["backupd-viewer"] },
  { sub: "n1", email: "nobody@example.com", groups: [] },
];

let issuer: OidcIssuer;
let master: Master;
let browser: Browser;
/** Of the Master, the issuer and, by passTime, of a page. */
let aheadMs = 0;
const now = (): Date => new Date(Date.now() + aheadMs);
beforeAll(async () => {
  const dashboardDir = await ensureDashboardBuilt();
  issuer = await startOidcIssuer({ people: PEOPLE, now });
  master = await startMaster({
    dashboardDir,
    now,
    env: { OIDC_ISSUER: issuer.url, OIDC_CLIENT_ID: CLIENT_ID },
    deps: { issuerKeys: openIssuerKeys({ oidc: { issuer: issuer.url } }, now) },
  });
  issuer.returns.push(`${master.url}/signed-in`, `${master.url}/`);
  await master.createSite((await master.enrolNode()).id);
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await master?.close();
  await issuer?.[Symbol.asyncDispose]();
});

const signInButton = (page: Page) => page.getByRole("button", { name: "Sign in with your organisation" });

async function enter(email: string, path = "/"): Promise<Tab> {
  const tab = await openTab(browser);
  await tab.page.clock.install({ time: now() });
  await tab.page.goto(`${master.url}${path}`);
  await signInButton(tab.page).click();
  await tab.page.getByRole("link", { name: email }).click();
  await tab.page.waitForURL(`${master.url}${path}`);
  return tab;
}

async function passTime(page: Page, ms: number): Promise<void> {
  aheadMs += ms;
  await page.clock.fastForward(ms);
}

const stored = (page: Page): Promise<string> =>
  page.evaluate<string>("JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie])");

test("a viewer comes back to the page they wanted, with the buttons that would work and no others", async () => {
  issuer.givesRefreshTokens = false;
  const { page, complaints, requests } = await enter("vera@example.com", "/nodes?from=mail");
  await page.getByRole("link", { name: "web1.example.com" }).waitFor();
  expect(await page.getByRole("button", { name: "Enrol a node" }).count()).toBe(0);
  await page.getByRole("link", { name: "Settings" }).click();
  const panel = page.getByRole("region", { name: "People and roles" });
  await panel.getByText("vera@example.com").waitFor();
  await panel
    .getByRole("row", { name: /^operator/ })
    .getByText("backupd-operator")
    .waitFor();
  await panel.getByText("your organisation", { exact: true }).waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  // Nothing of the way here is left, and the token is in this tab only.
  const [session, local, cookie] = JSON.parse(await stored(page)) as [Record<string, string>, object, string];
  expect([Object.keys(session), local, cookie]).toEqual([["session"], {}, "person=v1"]);
  const { token } = JSON.parse(session["session"] ?? "") as { token: string };
  expect(requests.filter((url) => url.includes(token))).toEqual([]);
  expect(requests.filter((url) => !url.startsWith(master.url) && !url.startsWith(issuer.url))).toEqual([]);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("when the token's time is over the page says so, shows nothing any more, and goes on where it was", async () => {
  issuer.givesRefreshTokens = false;
  const { page, complaints } = await enter("vera@example.com", "/?q=shop");
  await page.getByRole("link", { name: "shop.example.com" }).waitFor();
  await passTime(page, HOUR_MS);
  await page.getByText("Your session has ended.").waitFor();
  expect(await page.getByRole("table").count()).toBe(0);
  expect(await stored(page)).not.toContain("eyJ");
  expect(await seriousViolations(page)).toEqual([]);
  // The issuer still knows who this is.
  await signInButton(page).click();
  await page.getByRole("link", { name: "shop.example.com" }).waitFor();
  expect(page.url()).toBe(`${master.url}/?q=shop`);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("with a refresh token the session goes on by itself, in all tabs, and nothing that was typed is lost", async () => {
  issuer.givesRefreshTokens = true;
  const { page } = await enter("alice@example.com");
  const second = await page.context().newPage();
  await second.goto(`${master.url}/nodes`);
  await second.getByRole("button", { name: "Enrol a node" }).waitFor();
  expect(await stored(second)).not.toContain("refreshToken");
  // Chromium hardly draws what is behind.
  await page.bringToFront();
  await page.getByRole("searchbox").fill("half a wor");
  const before = issuer.asked["/token"] ?? 0;
  const first = await stored(page);
  await passTime(page, HOUR_MS - 60_000);
  await expect.poll(() => stored(page)).not.toBe(first);
  expect(issuer.asked["/token"]).toBe(before + 1);
  // The first token is over now for the Master.
  await passTime(page, 180_000);
  await page.getByRole("link", { name: "Activity" }).click();
  await page.getByText("node.enrolled").or(page.getByText("enrolled")).first().waitFor();
  await page.goBack();
  expect(await page.getByRole("searchbox").inputValue()).toBe("half a wor");
  await second.bringToFront();
  await second.getByRole("link", { name: "Settings" }).click();
  await second.getByText("alice@example.com").first().waitFor();
  await page.context().close();
});

test("a night later the first click renews; when the issuer has forgotten, the session is over", async () => {
  issuer.givesRefreshTokens = true;
  const { page } = await enter("alice@example.com", "/nodes");
  await page.getByRole("button", { name: "Enrol a node" }).waitFor();
  issuer.givesRefreshTokens = false;
  await passTime(page, 12 * HOUR_MS);
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("button", { name: "New token" }).waitFor();
  await passTime(page, 12 * HOUR_MS);
  await page.getByText("Your session has ended.").waitFor();
  await page.context().close();
});

test("signing out ends the session here, in other tabs, and at the issuer", async () => {
  issuer.givesRefreshTokens = true;
  const { page } = await enter("alice@example.com");
  const second = await page.context().newPage();
  await second.goto(`${master.url}/nodes`);
  await second.getByRole("button", { name: "Enrol a node" }).waitFor();
  await page.bringToFront();
  await page.getByRole("button", { name: /^Account/ }).click();
  const backFromIssuer = page.waitForEvent("load");
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await backFromIssuer;
  await second.getByText("You are signed out.").waitFor();
  expect(await stored(page)).not.toContain("eyJ");
  await signInButton(page).click();
  await page.getByRole("heading", { name: "Who are you?" }).waitFor();
  expect(issuer.asked["/revoke"]).toBeGreaterThan(0);
  await page.context().close();
});

test("where the API has an audience, access tokens for it are asked for and sent", async () => {
  const tab = await openTab(browser);
  await tab.page.route("**/api/v1/sign-in", async (route) => {
    const answer = await route.fetch();
    const { oidc, link } = (await answer.json()) as { oidc: object; link: boolean };
    await route.fulfill({
      json: { oidc: { ...oidc, token: "access", audience: "https://api.example" }, link },
    });
  });
  await tab.page.goto(`${master.url}/settings`);
  await signInButton(tab.page).click();
  await tab.page.getByRole("link", { name: "alice@example.com" }).click();
  // Such as Cognito's, which do not name the person's address.
  await tab.page.getByRole("region", { name: "People and roles" }).getByText("a1", { exact: true }).waitFor();
  expect(tab.requests.some((url) => url.includes("audience=https%3A%2F%2Fapi.example"))).toBe(true);
  await tab.page.context().close();
});

test("who has no role is told what to ask for", async () => {
  const { page } = await enter("nobody@example.com");
  await page.getByRole("heading", { name: "You have no role here yet" }).waitFor();
  await page.getByText(/in none of the groups that give a role.*backupd-viewer/).waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await page.getByRole("button", { name: "Sign out" }).click();
  await signInButton(page).waitFor();
  await page.context().close();
});

test("an answer that this tab did not ask for signs nobody in, and a token still does", async () => {
  const { page } = await openTab(browser);
  const answer = await page.goto(`${master.url}/signed-in?code=stolen&state=made-up`);
  expect(answer?.headers()["content-security-policy"]).toContain(`; connect-src 'self' ${issuer.url};`);
  await page.getByText("Signing in did not work").waitFor();
  expect(page.url()).toBe(`${master.url}/`);
  const { token } = await master.admin.call("createApiToken", { body: { label: "ci", role: "viewer" } });
  await page.getByText("Use an API token instead").click();
  await page.getByLabel("API token").fill(token);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("link", { name: "shop.example.com" }).waitFor();
  await page.context().close();
});
