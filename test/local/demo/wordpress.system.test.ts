// The demo site has to be a real, working, deterministic WordPress: the restore drills compare against it.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { lstat, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoSite, ensureDemoSite } from "#local/demo/demo-site.ts";
import { readProcessTable } from "#local/process-table.ts";
import { cloneDemoSite } from "./clone-demo-site.ts";
import { makeTempDir, type TempDir } from "./temp-dir.ts";

const MODULE = join(import.meta.dirname, "../../../local/demo/demo-site.ts");
const anyPorts = { mariadbPort: 0, wordpressPort: 0 };

const text = async (url: string): Promise<string> => {
  const response = await fetch(url);
  expect(response.status, url).toBe(200);
  return await response.text();
};
const liveProcesses = async (groups: readonly number[]): Promise<number> =>
  (await readProcessTable()).filter((row) => groups.includes(row.group) && !row.isZombie).length;
const wpContent = (site: DemoSite, ...path: string[]): string => join(site.siteDir, "wp-content", ...path);

describe("a first run", () => {
  let dir: TempDir;
  let site: DemoSite;
  const steps: string[] = [];
  beforeAll(async () => {
    dir = await makeTempDir();
    site = await ensureDemoSite({ dir: dir.path, ...anyPorts, onStep: (step) => steps.push(step) });
  });
  afterAll(async () => {
    await site.close();
    await dir[Symbol.asyncDispose]();
  });

  it("says what it does", () => {
    expect(steps).toHaveLength(3);
  });

  it("serves the front page, a post and its picture", async () => {
    expect(await text(`${site.siteUrl}/`)).toContain("Harbour Lane Pottery");
    const post = await text(site.postUrl);
    expect(post).toContain("Cone ten by midnight");
    expect(post).toContain(new URL(site.imageUrl).pathname);
    const image = await fetch(site.imageUrl);
    expect(image.headers.get("content-type")).toBe("image/jpeg");
    expect(
      Buffer.from(await image.arrayBuffer())
        .subarray(0, 3)
        .toString("hex"),
    ).toBe("ffd8ff");
  });

  it("runs our plugin on its own table and its serialised option", async () => {
    const status = JSON.parse(await text(`${site.siteUrl}/wp-json/demo-shop/v1/status`));
    expect(status).toEqual({ products: 4, orders: 40 });
    expect(await text(`${site.siteUrl}/shop/`)).toContain("Fisherman&#039;s vase");
  });

  it("has the texts that dumps spoil, byte for byte", async () => {
    const count = (table: string, where: string): Promise<string> =>
      site.mariadb.exec(`SELECT COUNT(*) FROM wordpress.shop_${table} WHERE ${where}`);
    expect(Number(await count("posts", "post_type='post' AND post_status='publish'"))).toBeGreaterThanOrEqual(
      12,
    );
    expect(await count("posts", "post_content LIKE '%👩‍🎨%'")).toBe("1\n");
    expect(await count("posts", String.raw`INSTR(post_content, 'C:\\kiln\\new\\table')`)).toBe("1\n");
    expect(await count("demo_shop_orders", "OCTET_LENGTH(receipt)=768 AND HEX(receipt) LIKE '000102%'")).toBe(
      "40\n",
    );
    expect(Number(await count("comments", "comment_parent > 0"))).toBeGreaterThan(0);
  });

  it("has thumbnails, odd names and what a backup leaves out", async () => {
    const month = await readdir(wpContent(site, "uploads", "2026", "01"));
    expect(month).toEqual(expect.arrayContaining(["harbour.jpg", "harbour-150x150.jpg"]));
    expect(await readdir(wpContent(site, "uploads"))).toContain("Größen & Maße ☕.txt");
    expect(await readdir(wpContent(site, "plugins", "demo-shop", "node_modules"))).toEqual(["left-out"]);
    expect(await readdir(wpContent(site, "cache"))).toEqual(["page-0001.html"]);
  });

  it("is made of real files, and its configuration is not for everybody", async () => {
    const entries = await readdir(site.siteDir, { recursive: true, withFileTypes: true });
    expect(entries.filter((entry) => entry.isSymbolicLink())).toEqual([]);
    expect((await lstat(join(site.siteDir, "wp-config.php"))).mode & 0o777).toBe(0o640);
  });

  it("has the same content as any other with this seed", async () => {
    await using other = await makeTempDir();
    await using twin = await cloneDemoSite({ dir: other.path });
    expect(await fingerprint(twin)).toEqual(await fingerprint(site));
  });
});

/** What readers see, without secrets, addresses and the times of installation. */
async function fingerprint(site: DemoSite): Promise<unknown> {
  const hash = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
  const rows = (columns: string, table: string): Promise<string> =>
    site.mariadb.exec(`SELECT ${columns} FROM wordpress.shop_${table}`);
  const uploads = await readdir(wpContent(site, "uploads"), { recursive: true, withFileTypes: true });
  const files = uploads.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return {
    posts: hash(
      await rows("post_title, post_name, post_date, post_content", "posts WHERE post_status <> 'auto-draft'"),
    ),
    comments: hash(await rows("comment_author, comment_content, comment_parent", "comments")),
    orders: hash(await rows("customer, total, placed_at, HEX(receipt), note", "demo_shop_orders")),
    files: await Promise.all(
      files.sort().map(async (path) => [path.slice(site.siteDir.length), hash(await readFile(path))]),
    ),
  };
}

describe("a later run", () => {
  it("finds what was there, on other ports, and ends every process", async () => {
    await using dir = await makeTempDir();
    await using first = await cloneDemoSite({ dir: dir.path });
    await first.mariadb.exec(
      "UPDATE wordpress.shop_options SET option_value='Changed' WHERE option_name='blogname'",
    );
    const config = await readFile(join(first.siteDir, "wp-config.php"), "utf8");
    await first.close();
    expect(await liveProcesses([first.mariadb.pid, first.php.pid])).toBe(0);

    await using second = await ensureDemoSite({ dir: dir.path, ...anyPorts });
    expect(await text(`${second.siteUrl}/`)).toContain("Changed");
    expect(await text(second.postUrl)).toContain(second.siteUrl);
    expect(await readFile(join(second.siteDir, "wp-config.php"), "utf8")).not.toBe(config);
    await second.close();
    expect(await liveProcesses([second.mariadb.pid, second.php.pid])).toBe(0);
  });

  it("does not write wp-config.php when the ports are the same", async () => {
    await using dir = await makeTempDir();
    await using first = await cloneDemoSite({ dir: dir.path });
    const config = join(first.siteDir, "wp-config.php");
    const { mtimeNs } = await lstat(config, { bigint: true });
    await first.close();
    const ports = { mariadbPort: first.mariadb.port, wordpressPort: first.php.port };
    await using second = await ensureDemoSite({ dir: dir.path, ...ports });
    expect((await lstat(config, { bigint: true })).mtimeNs).toBe(mtimeNs);
    await text(second.postUrl);
  });

  it("comes back after MariaDB was killed", async () => {
    await using dir = await makeTempDir();
    await using first = await cloneDemoSite({ dir: dir.path });
    process.kill(first.mariadb.pid, "SIGKILL");
    await first.close();
    await using second = await ensureDemoSite({ dir: dir.path, ...anyPorts });
    expect(await text(second.postUrl)).toContain("Cone ten by midnight");
  });

  it("serves the ruin when the site was destroyed, for a restore to repair", async () => {
    await using dir = await makeTempDir();
    await using first = await cloneDemoSite({ dir: dir.path });
    expect(await first.readDbPassword()).toMatch(/^\S{32}$/);
    await first.close();
    await rm(first.siteDir, { recursive: true });
    await using second = await ensureDemoSite({ dir: dir.path, ...anyPorts });
    expect((await fetch(second.postUrl)).status).toBe(404);
    expect(await second.readDbPassword()).toBeUndefined();
    expect(await second.mariadb.exec("SELECT COUNT(*) FROM wordpress.shop_demo_shop_orders")).toBe("40\n");
  });
});

it("starts over when the first run was killed, and ends what that left running", async () => {
  await using dir = await makeTempDir();
  const program = `
    const { ensureDemoSite } = await import(${JSON.stringify(MODULE)});
    const site = await ensureDemoSite({ dir: ${JSON.stringify(dir.path)}, mariadbPort: 0, wordpressPort: 0,
      onStep: (step) => console.log(step) });
    console.log("ready");`;
  const owner = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: owner.stdout })) if (line.startsWith("Writing")) break;
  await expect.poll(() => existsSync(join(dir.path, "seed.process.json"))).toBe(true);
  await expect(ensureDemoSite({ dir: dir.path, ...anyPorts })).rejects.toThrow(
    `in use by process ${owner.pid}`,
  );
  owner.kill("SIGKILL");
  await once(owner, "exit");
  const records = ["mysql", "php", "seed"].map((name) => join(dir.path, `${name}.process.json`));
  const left = await Promise.all(
    records.map(async (path) => JSON.parse(await readFile(path, "utf8")).child.pid),
  );
  expect(await liveProcesses(left)).toBeGreaterThan(1);

  await using site = await ensureDemoSite({ dir: dir.path, ...anyPorts });
  expect(await liveProcesses(left)).toBe(0);
  expect(await text(site.postUrl)).toContain("Cone ten by midnight");
});
