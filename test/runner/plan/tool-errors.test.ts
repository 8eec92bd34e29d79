// What the words of database programs and of the storage are turned into.
import { describe, expect, it } from "vitest";
import { dbError } from "#runner/plan/db-error.ts";
import { dumpOptions } from "#runner/plan/dump-options.ts";
import { storageError } from "#runner/plan/storage-error.ts";

describe("dbError", () => {
  it.each([
    [
      `mariadb-dump: Got error: 1045: "Access denied for user 'u'@'localhost' (using password: YES)" when trying to connect`,
      "db_access_denied",
    ],
    ["ERROR 1698 (28000): Access denied for user 'root'@'localhost'", "db_access_denied"],
    [`mysqldump: Got error: 1049: "Unknown database 'x'" when selecting the database`, "db_missing"],
    ["ERROR 2002 (HY000): Can't connect to local server through socket '/x' (2)", "db_unreachable"],
    [
      `mysqldump: Error 2013: Lost connection to server during query when dumping table "t" at row: 7`,
      "db_unreachable",
    ],
    [
      `mysqldump: Couldn't execute 'show events': Access denied for user 'u'@'%' to database 'd' (1044)`,
      "db_privilege_missing",
    ],
    [
      `mysqldump: Couldn't execute 'SHOW CREATE TABLE t': Table 'd.t' doesn't exist in engine (1932)`,
      "dump_failed",
    ],
    ["", "dump_failed"],
  ])("%s", (stderr, code) => {
    expect(dbError(stderr, "ended with code 2", []).code).toBe(code);
  });

  it("strikes the password out of what is passed on", () => {
    expect(dbError("denied: pa$$word!", "x", ["pa$$word!", ""]).message).toBe("x: denied: ***");
  });
});

describe("dumpOptions", () => {
  const skip = { events: false, routines: true, triggers: false };
  const options = (programVersion: string): readonly string[] =>
    dumpOptions({ databaseName: "-x", programVersion, skip });

  it("keeps a database's name from being taken for an option", () => {
    expect(options("mariadb-dump  Ver 10.19 Distrib 10.11.6-MariaDB").slice(-2)).toEqual(["--", "-x"]);
  });

  it("adds what each MySQL needs and MariaDB does not know", () => {
    const own = (version: string): string[] =>
      options(version).filter((option) => /gtid|column-stat/.test(option));
    expect(own("mysqldump  Ver 10.19 Distrib 10.11.6-MariaDB, for debian-linux-gnu")).toEqual([]);
    expect(own("mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)")).toEqual([
      "--set-gtid-purged=OFF",
      "--column-statistics=0",
    ]);
    expect(own("mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)")).toEqual(["--set-gtid-purged=OFF"]);
    expect(own("mysqldump  Ver 10.13 Distrib 5.5.62, for Linux (x86_64)")).toEqual([]);
  });

  it("does without what the user may not read", () => {
    expect(options("MariaDB")).toContain("--skip-routines");
    expect(options("MariaDB")).toContain("--events");
  });
});

describe("storageError", () => {
  it.each([
    [
      Object.assign(new Error("no"), { name: "AccessDenied", $metadata: { httpStatusCode: 403 } }),
      "storage_denied",
    ],
    [Object.assign(new Error("no"), { name: "403", $metadata: { httpStatusCode: 403 } }), "storage_denied"],
    [Object.assign(new Error("connect"), { code: "ECONNREFUSED" }), "storage_unreachable"],
    [Object.assign(new Error("slow"), { name: "TimeoutError" }), "storage_unreachable"],
    [
      Object.assign(new Error("oops"), { name: "InternalError", $metadata: { httpStatusCode: 500 } }),
      "storage_failed",
    ],
  ])("%s", (error, code) => {
    expect(storageError(error, "Part 1")).toMatchObject({ code, cause: error });
  });
});
