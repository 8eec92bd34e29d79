// The dashboard's host: hands out its own files and nothing else, with a policy that allows nothing foreign, and signs
// in whoever has a fresh link, once.
import { mkdir, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSignInCodes } from "#local/dashboard/sign-in-codes.ts";
import { type Master, startMaster } from "#test/helpers/master.ts";
import { makeTempDir, type TempDir } from "#test/local/demo/temp-dir.ts";

let dir: TempDir;
let master: Master;
beforeAll(async () => {
  dir = await makeTempDir();
  const dashboardDir = join(dir.path, "dashboard");
  await mkdir(join(dashboardDir, "assets"), { recursive: true });
  await writeFile(join(dashboardDir, "index.html"), "<!doctype html><title>index</title>");
  await writeFile(join(dashboardDir, "assets", "main-1.js"), "export {};");
  await writeFile(join(dir.path, "secret.json"), '"secret"');
  master = await startMaster({ dashboardDir });
});
afterAll(async () => {
  await master.close();
  await dir[Symbol.asyncDispose]();
});

/** Sends the path as it is: fetch would tidy it up. */
function get(path: string, headers: Record<string, string> = {}, method = "GET") {
  return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>(
    (resolve, reject) => {
      const outgoing = request(master.url, { path, method, headers }, (incoming) => {
        let text = "";
        incoming.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        incoming.on("end", () =>
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }),
        );
      });
      outgoing.on("error", reject).end();
    },
  );
}

test("every page is index.html, what looks like a file has to be one, and the API stays the API", async () => {
  for (const path of ["/", "/sites/123", "/nodes?x=a.b", "/index.html"]) {
    expect(await get(path)).toMatchObject({ status: 200, text: expect.stringContaining("<title>index") });
  }
  expect(await get("/assets/main-1.js")).toMatchObject({ status: 200, text: "export {};" });
  expect((await get("/assets/gone-2.js")).status).toBe(404);
  expect(JSON.parse((await get("/api/v1/health")).text)).toMatchObject({ status: "ok" });
  expect(JSON.parse((await get("/api/v1/nothing")).text)).toMatchObject({ code: "not_found" });
  expect((await get("/", {}, "POST")).status).toBe(405);
});

test.each([
  "/../secret.json",
  "/assets/../../secret.json",
  "/%2e%2e/secret.json",
  "/..%2fsecret.json",
  "/assets/..%5c..%5csecret.json",
  "//etc/passwd.json",
  "/\0secret.json".replace("\0", "%00"),
])("%s is no way to the disk", async (path) => {
  const answer = await get(path);
  expect(answer.text).not.toContain("secret");
  expect(answer.status).toBe(404);
});

test("answers carry a policy without holes and say how long they may be kept", async () => {
  const page = await get("/");
  const policy = String(page.headers["content-security-policy"]);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|data:|https?:/);
  expect(page.headers).toMatchObject({
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
  });
  const asset = await get("/assets/main-1.js");
  expect(asset.headers["cache-control"]).toContain("immutable");
  expect((await get("/", { "if-none-match": String(page.headers["etag"]) })).status).toBe(304);
});

function exchange(code: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${master.url}/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ code }),
  });
}
const newCode = (): string => new URL(master.signInLink()).hash.replace("#code=", "");

test("a link signs in once, as an ordinary token that ends by itself", async () => {
  const code = newCode();
  const first = await exchange(code);
  expect([first.status, first.headers.get("cache-control")]).toEqual([200, "no-store"]);
  const { token } = (await first.json()) as { token: string };
  expect(await master.withToken(token).call("getMe")).toMatchObject({ role: "admin", label: "Sign-in link" });
  const [made] = (await master.admin.call("listApiTokens")).items;
  expect(Date.parse(made?.expires_at ?? "")).toBeLessThan(Date.now() + 13 * 3_600_000);
  expect((await exchange(code)).status).toBe(401);
  expect((await exchange("guess")).status).toBe(401);
});

test("another origin's page cannot use a link, and does not use it up", async () => {
  const code = newCode();
  expect((await exchange(code, { origin: "http://evil.example" })).status).toBe(403);
  expect((await exchange(code, { "content-type": "text/plain" })).status).toBe(403);
  const rebound = await get("/sign-in", { host: "evil.example", "content-type": "application/json" }, "POST");
  expect(rebound.status).toBe(403);
  expect((await exchange(code)).status).toBe(200);
});

test("a code is good for ten minutes", () => {
  let now = new Date("2030-01-01T00:00:00Z");
  const codes = openSignInCodes(() => now);
  const [early, late] = [codes.issue(), codes.issue()];
  now = new Date("2030-01-01T00:09:59Z");
  expect(codes.redeem(early)).toBe(true);
  now = new Date("2030-01-01T00:10:00Z");
  expect(codes.redeem(late)).toBe(false);
});
