// The private MariaDB holds other tests' and the demo's data: it must come back after anything and touch nobody else.

import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startMariadb } from "#local/demo/mariadb.ts";
import { makeTempDir } from "./temp-dir.ts";

it("keeps its data over an orderly restart", async () => {
  await using dir = await makeTempDir();
  const dataDir = join(dir.path, "mysql");
  await using first = await startMariadb({ dataDir, port: 0 });
  await first.exec("CREATE DATABASE kept; CREATE TABLE kept.t (x TEXT); INSERT INTO kept.t VALUES ('🏺')");
  await first.close();
  await using second = await startMariadb({ dataDir, port: 0 });
  expect(await second.exec("SELECT x FROM kept.t")).toBe("🏺\n");
});

it("recovers what was committed when it was killed", async () => {
  await using dir = await makeTempDir();
  const dataDir = join(dir.path, "mysql");
  await using first = await startMariadb({ dataDir, port: 0 });
  await first.exec(
    "CREATE DATABASE kept; CREATE TABLE kept.t (x INT) ENGINE=InnoDB; INSERT INTO kept.t VALUES (7)",
  );
  process.kill(first.pid, "SIGKILL");
  await expect.poll(() => isThere(first.pid)).toBe(false);
  await using second = await startMariadb({ dataDir, port: 0 });
  expect(await second.exec("SELECT x FROM kept.t")).toBe("7\n");
  await first.close();
  await expect(startMariadb({ dataDir, port: 0 })).rejects.toThrow("in use");
});

it("refuses a second server on the same data", async () => {
  await using dir = await makeTempDir();
  const dataDir = join(dir.path, "mysql");
  await using first = await startMariadb({ dataDir, port: 0 });
  await expect(startMariadb({ dataDir, port: 0 })).rejects.toThrow(
    `MariaDB is in use by process ${process.pid}`,
  );
  expect(await first.exec("SELECT 1")).toBe("1\n");
});

it("says so when its port is taken, and leaves nothing running", async () => {
  await using dir = await makeTempDir();
  await using first = await startMariadb({ dataDir: join(dir.path, "a"), port: 0 });
  const second = startMariadb({ dataDir: join(dir.path, "b"), port: first.port });
  await expect(second).rejects.toThrow(/MariaDB ended at its start[\s\S]*Address already in use/);
  expect((await readdir(dir.path)).sort()).toEqual([
    ...["a", "a.log", "a.process.json", "a.sock", "a.tmp"],
    ...["b", "b.log", "b.tmp"],
  ]);
});

it("leaves temporary tables of other servers alone", async () => {
  await using dir = await makeTempDir();
  const table = join("/tmp", `#sql-temptable-${process.pid}-1-1.MAI`);
  await writeFile(table, "");
  try {
    await using _server = await startMariadb({ dataDir: join(dir.path, "beside"), port: 0 });
    expect(await readFile(table, "utf8")).toBe("");
  } finally {
    await rm(table, { force: true });
  }
});

it("starts in a directory too deep for a socket", async () => {
  await using dir = await makeTempDir();
  const deep = join(dir.path, "d".repeat(60), "e".repeat(60));
  await mkdir(deep, { recursive: true });
  await using mariadb = await startMariadb({ dataDir: join(deep, "mysql"), port: 0 });
  expect(await mariadb.exec("SELECT 1")).toBe("1\n");
});

it("listens on loopback only", async () => {
  await using dir = await makeTempDir();
  await using mariadb = await startMariadb({ dataDir: join(dir.path, "mysql"), port: 0 });
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.internal && address.family === "IPv4");
  for (const host of ["127.0.0.2", ...outside.map((each) => each.address)]) {
    await expect(once(connect({ host, port: mariadb.port }), "connect")).rejects.toThrow("ECONNREFUSED");
  }
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
