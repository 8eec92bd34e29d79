// The archive's files against the stock zstd and GNU tar: everything that a file system can hold comes back, and a
// site that changes while it is packed does no harm.
import { execFile } from "node:child_process";
import { hash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { chmod, lstat, mkdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { compareTrees } from "#local/compare-trees.ts";
import type { PackPlace } from "#runner/io/pack-protocol.ts";
import { type PackOptions, packSite } from "#runner/io/pack-site.ts";
import { type PackThread, startPackThread } from "#runner/io/pack-thread.ts";
import { S3_COPY_LIMITS } from "#runner/plan/copy/plan-copies.ts";
import { extract, makeSite, packAndExtract, packTo, type SiteOnDisk } from "./pack-to-tree.ts";

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

function fill(path: string | Buffer, bytes: number): void {
  writeFileSync(path, Buffer.alloc(bytes, "0123456789abcdef"));
}

async function differences(on: SiteOnDisk, tree: string): Promise<string[]> {
  return await compareTrees(on.content, join(tree, "wp-content"));
}

describe("what comes back from an archive", () => {
  it("is the whole tree: names, types, contents, modes, owners, times, links", async () => {
    await using on = await makeSite();
    const names = [
      "plain.txt",
      "with space",
      "new\nline",
      "-rf",
      "--checkpoint=1",
      "ünïcode-日本",
      "*?[]",
      "\\n",
      "n".repeat(255),
      "=",
      "a'\"$(id)`",
    ];
    for (const [index, name] of names.entries()) {
      fill(join(on.content, name), index * 333);
      utimesSync(join(on.content, name), 1_700_000_000.123456, 1_600_000_000 + index + 0.987654);
    }
    fill(Buffer.concat([Buffer.from(`${on.content}/`), Buffer.from([0xff, 0xfe, 0x2d, 0xe9])]), 10);
    mkdirSync(join(on.content, "empty/below"), { recursive: true });
    const deep = join(on.content, ...Array.from({ length: 9 }, (_, i) => `${"d".repeat(60)}${i}`));
    mkdirSync(deep, { recursive: true });
    fill(join(deep, "f".repeat(200)), 700);
    for (const target of ["plain.txt", "nowhere", "/etc/hostname", "x".repeat(300), "ü"]) {
      symlinkSync(target, join(on.content, `link-${target.replaceAll("/", "_").slice(0, 20)}`));
    }
    linkSync(join(on.content, "plain.txt"), join(on.content, "z-hard"));
    fill(join(on.content, "suid"), 1);
    if (isRoot) await run("chown", ["1234:5678", join(on.content, "suid")]);
    await chmod(join(on.content, "suid"), 0o6751);
    await chmod(join(on.content, "empty"), 0o1777);
    utimesSync(join(on.content, "empty"), 1, 1.5);
    utimesSync(on.content, 2, 0);

    const packed = await packAndExtract(on);

    expect(packed.complaints).toBe("");
    expect(await differences(on, packed.tree)).toEqual([]);
    const hard = await stat(join(packed.tree, "wp-content/z-hard"));
    expect(hard.ino).toBe((await stat(join(packed.tree, "wp-content/plain.txt"))).ino);
    expect(await readFile(join(packed.tree, "wp-config.php"), "utf8")).toBe("<?php // config\n");
    expect(await readFile(join(packed.tree, "database.sql"), "utf8")).toBe("-- a dump\n");
    expect((await stat(join(packed.tree, "wp-content"))).mtimeMs).toBe(0);
    expect(packed.summary.warnings).toEqual([]);
  });

  it("is every byte of files of any size around the frame's", async () => {
    await using on = await makeSite();
    const frameBytes = 65_536;
    for (const around of [0, 512, 65_536, 131_072, 400_000]) {
      for (const size of [
        around - 1537,
        around - 513,
        around - 512,
        around - 1,
        around,
        around + 1,
        around + 513,
      ]) {
        if (size >= 0) fill(join(on.content, `f${size}`), size);
      }
    }
    const packed = await packAndExtract(on, { frameBytes });
    expect(packed.complaints).toBe("");
    expect(await differences(on, packed.tree)).toEqual([]);
    const plain = await stat(`${packed.archive}.tar`);
    expect(packed.result.tarBytes).toBe(plain.size);
  });

  it("is the same archive twice, in the order of the names' bytes", async () => {
    await using on = await makeSite();
    for (const name of ["b", "a", "é", "a-b", "Z"]) fill(join(on.content, name), 10);
    mkdirSync(join(on.content, "a.d"));
    fill(join(on.content, "a.d/x"), 1);
    const twice = [join(on.dir, "1"), join(on.dir, "2")];
    // Without the racy rule, whose flags in the index depend on how old the files are by now.
    for (const archive of twice) await packTo(archive, on, { racyWindowNs: 0n });
    const [first, second] = await Promise.all(twice.map((archive) => readFile(archive)));
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);
    const { stdout } = await run("tar", ["--zstd", "-tf", twice[0] ?? "", "--quoting-style=literal"]);
    expect(stdout.split("\n")).toEqual([
      "wp-config.php",
      "wp-content/Z",
      "wp-content/a",
      "wp-content/a-b",
      "wp-content/a.d/x",
      "wp-content/b",
      "wp-content/é",
      "wp-content/a.d/",
      "wp-content/",
      "database.sql",
      "",
    ]);
  });

  it("lacks caches, node_modules, other backups and what the site excludes", async () => {
    await using on = await makeSite();
    for (const path of [
      "cache/x",
      "themes/t/node_modules/m/i.js",
      "updraft/b.zip",
      "uploads/keep.jpg",
      "uploads/tmp/x",
      "plugins/p/cache.php",
    ]) {
      mkdirSync(join(on.content, path, ".."), { recursive: true });
      fill(join(on.content, path), 5);
    }
    const { tree, summary } = await packAndExtract(on, { exclude: ["uploads/tmp"] });
    const { stdout } = await run("find", ["wp-content", "-type", "f"], { cwd: tree });
    expect(stdout.trim().split("\n").sort()).toEqual([
      "wp-content/plugins/p/cache.php",
      "wp-content/uploads/keep.jpg",
    ]);
    expect(summary.files).toBe(3);
  });

  it("skips sockets and pipes with a warning, without opening them", async () => {
    await using on = await makeSite();
    await run("mkfifo", [join(on.content, "pipe")]); // Opened for reading, it would block for ever.
    const server = createServer().listen(join(on.content, "socket"));
    await once(server, "listening");
    const packed = await packAndExtract(on);
    server.close();
    expect(packed.summary.warnings.map(({ code, message }) => `${code} ${message.split(" ")[0]}`)).toEqual([
      "special_file_skipped wp-content/pipe",
      "special_file_skipped wp-content/socket",
    ]);
    await expect(lstat(join(packed.tree, "wp-content/pipe"))).rejects.toThrow("ENOENT");
  });
});

describe("a site that changes while it is packed", () => {
  /** `a-big` takes far more frames than the packer may have on the way, so it waits in the middle of it. */
  async function siteInMotion(): Promise<SiteOnDisk> {
    const on = await makeSite();
    mkdirSync(join(on.content, "dir"));
    fill(join(on.content, "dir/a-big"), 4_000_000);
    writeFileSync(join(on.content, "dir/z-later"), "original");
    return on;
  }
  const big = (on: SiteOnDisk): string => join(on.content, "dir/a-big");

  it("fills up a file that became shorter, and says so", async () => {
    await using on = await siteInMotion();
    const packed = await packAndExtract(on, { meanwhile: async () => truncateSync(big(on), 2_000_000) });
    const restored = await readFile(join(packed.tree, "wp-content/dir/a-big"));
    expect(restored.length).toBe(4_000_000);
    expect(restored.subarray(0, 2_000_000).equals(await readFile(big(on)))).toBe(true);
    expect(restored.subarray(2_000_000).every((byte) => byte === 0)).toBe(true);
    expect(packed.summary.warnings).toMatchObject([
      { code: "file_changed", message: expect.stringContaining("2000000 bytes of it are zeros") },
    ]);
  });

  it("cuts a file that grew at the size it had, and says so", async () => {
    await using on = await siteInMotion();
    const packed = await packAndExtract(on, { meanwhile: async () => appendFileSync(big(on), "more") });
    expect((await stat(join(packed.tree, "wp-content/dir/a-big"))).size).toBe(4_000_000);
    expect(packed.complaints).toBe("");
    expect(packed.summary.warnings).toMatchObject([{ code: "file_changed" }]);
  });

  it("does without a file that vanished, and says so", async () => {
    await using on = await siteInMotion();
    const packed = await packAndExtract(on, {
      meanwhile: async () => unlinkSync(join(on.content, "dir/z-later")),
    });
    expect(packed.summary.warnings).toMatchObject([
      { code: "file_vanished", message: expect.stringContaining("wp-content/dir/z-later") },
    ]);
    await expect(stat(join(packed.tree, "wp-content/dir/z-later"))).rejects.toThrow("ENOENT");
  });

  it("is not led out of the site by a directory that turns into a symlink", async () => {
    await using on = await siteInMotion();
    const outside = join(on.dir, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "z-later"), "stolen");
    const packed = await packAndExtract(on, {
      meanwhile: async () => {
        renameSync(join(on.content, "dir"), join(on.content, "moved"));
        await symlink(outside, join(on.content, "dir"));
      },
    });
    expect(await readFile(join(packed.tree, "wp-content/dir/z-later"), "utf8")).toBe("original");
  });
});

describe("a site that was looked at ahead", () => {
  const placeOf = (on: SiteOnDisk): PackPlace => ({
    configPath: join(on.site, "wp-config.php"),
    contentDir: on.content,
    exclude: [],
  });
  const names = async (archive: string): Promise<string[]> =>
    (await run("sh", ["-c", 'zstd -q -d -c "$0" | tar -t', archive])).stdout.split("\n");

  /** Has the thread look at the site, and waits until it has listed it, by the directory's last access. */
  async function lookAhead(thread: PackThread, on: SiteOnDisk, usesIndex: boolean): Promise<void> {
    utimesSync(on.content, 0, new Date());
    thread.survey(placeOf(on), usesIndex);
    await expect.poll(async () => (await stat(on.content)).atimeMs).toBeGreaterThan(0);
  }

  it("is packed as it was seen then, and files are read as they are by now", async () => {
    await using on = await makeSite();
    writeFileSync(join(on.content, "early"), "before");
    await using thread = startPackThread(new AbortController().signal);
    await lookAhead(thread, on, false);
    writeFileSync(join(on.content, "early"), "as it is now");
    writeFileSync(join(on.content, "late"), "");
    const packed = await packTo(join(on.dir, "archive.tar.zst"), on, { ahead: thread });
    expect(await names(packed.archive)).toContain("wp-content/early");
    expect(await names(packed.archive)).not.toContain("wp-content/late");
    const { tree } = await extract(packed.archive, join(on.dir, "extracted"));
    expect(await readFile(join(tree, "wp-content/early"), "utf8")).toBe("as it is now");
  });

  it("is looked at again if it was compared with an archive that cannot be copied from", async () => {
    await using on = await makeSite();
    writeFileSync(join(on.content, "early"), "before");
    const first = await packTo(join(on.dir, "first.tar.zst"), on, { racyWindowNs: 0n });
    const index = Buffer.concat(first.result.index);
    await using thread = startPackThread(new AbortController().signal);
    thread.readIndex(index, hash("sha256", index, "hex"));
    await lookAhead(thread, on, true);
    writeFileSync(join(on.content, "late"), "");
    const packed = await packTo(join(on.dir, "second.tar.zst"), on, { ahead: thread });
    expect(packed.plan.mode).toBe("full");
    expect(await names(packed.archive)).toContain("wp-content/late");
  });
});

describe("a pack that cannot go on", () => {
  it("fails, with the path, when a file may not be read", async () => {
    await using on = await makeSite();
    await writeFile(join(on.content, "secret"), "x", { mode: 0o000 });
    await chmod(on.dir, 0o755);
    // Root may read everything, so another user has to try.
    const child = run(process.execPath, [join(import.meta.dirname, "pack-here.ts"), on.site], {
      ...(isRoot ? { uid: 65_534, gid: 65_534 } : {}),
      cwd: "/",
    });
    expect(JSON.parse((await child).stdout)).toEqual({
      code: "site_unreadable",
      message: `${on.content}/secret: EACCES`,
    });
  });

  it("fails when wp-content is gone", async () => {
    await using on = await makeSite();
    await rm(on.content, { recursive: true });
    await expect(packTo(join(on.dir, "a"), on, {})).rejects.toMatchObject({ code: "archive_read_failed" });
  });

  it("ends at once when it is told to, with the reason", async () => {
    await using on = await makeSite();
    fill(join(on.content, "big"), 4_000_000);
    const stop = new AbortController();
    await using pack = packSite({ ...optionsOf(on), signal: stop.signal });
    const frames = pack.frames()[Symbol.asyncIterator]();
    await frames.next();
    stop.abort(new Error("told to"));
    await expect(frames.next()).rejects.toThrow("told to");
  });

  it("ends at once also in a thread that was started before its job, and waits for a frame to be given back", async () => {
    await using on = await makeSite();
    fill(join(on.content, "big"), 4_000_000);
    await using thread = startPackThread(new AbortController().signal);
    const stop = new AbortController();
    await using pack = packSite({ ...optionsOf(on), ahead: thread, signal: stop.signal });
    const frames = pack.frames()[Symbol.asyncIterator]();
    const FRAMES_IN_MEMORY = 5;
    for (let taken = 0; taken < FRAMES_IN_MEMORY; taken += 1) await frames.next();
    const waiting = frames.next();
    stop.abort(new Error("told to"));
    await expect(waiting).rejects.toThrow("told to");
  });

  it("reads no further than the few frames that it may fill", async () => {
    await using on = await makeSite();
    const big = join(on.content, "big");
    fill(big, 4_000_000);
    utimesSync(big, 1_700_000_000, 1_700_000_000); // A plain time, so the header is one block.
    await using pack = packSite({ ...optionsOf(on), signal: new AbortController().signal });
    const waiting: (() => void)[] = [];
    let taken = 0;
    for await (const frame of pack.frames()) {
      taken += 1;
      if (taken < 5) {
        waiting.push(frame.release);
        continue;
      }
      // The config's frame and four of the file's are out, so the rest of it has not been read yet.
      if (taken === 5) truncateSync(big, 0);
      frame.release();
      for (const release of waiting.splice(0)) release();
    }
    const zeros = 4_000_000 - (4 * 65_536 - 512);
    expect(pack.summary().warnings).toMatchObject([
      { message: expect.stringContaining(`; ${zeros} bytes of it are zeros`) },
    ]);
  });
});

function optionsOf(on: SiteOnDisk): Omit<PackOptions, "signal"> {
  const { content: contentDir, site } = on;
  return {
    configPath: join(site, "wp-config.php"),
    contentDir,
    exclude: [],
    frameBytes: 65_536,
    limits: S3_COPY_LIMITS,
    dumpSha256: "",
  };
}

describe("files that look encrypted", () => {
  it("are counted among those that are read, for the retention", async () => {
    await using on = await makeSite();
    await writeFile(join(on.content, "page.php"), "<?php // text\n".repeat(500));
    await writeFile(join(on.content, "photo.jpg"), Buffer.from([0xff, 0xd8, 0xff, ...randomBytes(9000)]));
    for (const name of ["page.php.locked", "photo2.jpg"]) {
      await writeFile(join(on.content, name), randomBytes(9000));
    }
    const { summary } = await packTo(join(on.dir, "a.tar.zst"), on, {});
    expect(summary.garbled).toBe(2);
  });
});
