// WordPress' forms of DB_HOST (wpdb::parse_db_host).
import { describe, expect, it } from "vitest";
import { parseDbHost } from "#runner/plan/db-host.ts";

describe("parseDbHost", () => {
  it.each([
    ["localhost", { host: "localhost" }],
    ["db.example.com:3307", { host: "db.example.com", port: 3307 }],
    ["localhost:/run/mysqld/my.sock", { host: "localhost", socketPath: "/run/mysqld/my.sock" }],
    [":/run/my:1.sock", { socketPath: "/run/my:1.sock" }],
    ["db:3306:/run/my.sock", { host: "db", port: 3306, socketPath: "/run/my.sock" }],
    ["[::1]:3306", { host: "::1", port: 3306 }],
    ["[fe80::1]", { host: "fe80::1" }],
    ["::1", { host: "::1" }],
    ["127.0.0.1", { host: "127.0.0.1" }],
    ["", {}],
  ])("%s", (text, address) => {
    expect(parseDbHost(text)).toEqual(address);
  });

  it.each(["host:port", "host:70000", "a/b", "[::1", "h:1:2x"])("refuses %s", (text) => {
    expect(parseDbHost(text)).toBeUndefined();
  });
});
