import { expect, it } from "vitest";
import { decodeHeader, encodeHeader, type IndexHeader } from "#shared/format/index-header.ts";
import { headerOf } from "./index-samples.ts";

const HEADER = headerOf(1_000_448, 3, 5);
const DATABASE = {
  name: "database.sql",
  tar_offset: 512,
  tar_bytes: 1024,
  bytes: 5,
  sha256: "ab".repeat(32),
};
const WITH_DATABASE = { ...HEADER, database: DATABASE };

it.each([
  ["without a database", HEADER],
  ["with a database", WITH_DATABASE],
])("reads what it wrote, %s", (_, header) => {
  expect(decodeHeader(JSON.parse(encodeHeader(header)))).toEqual(header);
});

it("drops what later writers may add", () => {
  const later = { ...HEADER, mood: "good", database: { ...DATABASE, mood: "bad" } };
  expect(decodeHeader(later)).toEqual(WITH_DATABASE);
  expect(encodeHeader(later)).toBe(JSON.stringify(WITH_DATABASE));
});

it.each<[string, unknown]>([
  ["no object", null],
  ["no object", []],
  ["no object", "backupd"],
  ["format", { ...HEADER, format: "other" }],
  ["version", { ...HEADER, version: 2 }],
  ["created_at", { ...HEADER, created_at: "yesterday" }],
  ["created_at", { ...HEADER, created_at: "2026-01-02T03:04:05+01:00" }],
  ["created_at", { ...HEADER, created_at: "2026-13-02T03:04:05Z" }],
  ["created_at", { ...HEADER, created_at: undefined }],
  ["tool", { ...HEADER, tool: "t".repeat(201) }],
  ["node_id", { ...HEADER, node_id: HEADER.node_id.replace("1", "g") }],
  ["site_id", { ...HEADER, site_id: `${HEADER.site_id}0` }],
  ["tar_bytes", { ...HEADER, tar_bytes: -1 }],
  ["tar_bytes", { ...HEADER, tar_bytes: 2 ** 53 }],
  ["entries_end", { ...HEADER, entries_end: 511 }],
  ["frames", { ...HEADER, frames: 1.5 }],
  ["entries", { ...HEADER, entries: "5" }],
  ["frames, entries", { ...HEADER, frames: null, entries: null }],
  ["database", { ...HEADER, database: undefined }],
  ["database", { ...HEADER, database: [] }],
  ["database.name", { ...HEADER, database: { ...DATABASE, name: "" } }],
  ["database.name", { ...HEADER, database: { ...DATABASE, name: "n".repeat(256) } }],
  ["database.tar_offset", { ...HEADER, database: { ...DATABASE, tar_offset: 1 } }],
  ["database.tar_bytes", { ...HEADER, database: { ...DATABASE, tar_bytes: -512 } }],
  ["database.bytes", { ...HEADER, database: { ...DATABASE, bytes: null } }],
  ["database.sha256", { ...HEADER, database: { ...DATABASE, sha256: "AB".repeat(32) } }],
])("refuses a line with a wrong part: %s", (what, line) => {
  const message = `The index's header line is not valid (${what})`;
  expect(() => decodeHeader(line)).toThrow(expect.objectContaining({ code: "archive_corrupt" }) as Error);
  expect(() => decodeHeader(line)).toThrow(message);
  expect(() => encodeHeader(line as IndexHeader)).toThrow(RangeError);
});

it.each([
  ["no room for the tar's end", { ...HEADER, entries_end: HEADER.tar_bytes - 512 }],
  ["a database that is not in it", { ...WITH_DATABASE, database: { ...DATABASE, tar_bytes: 999_424 } }],
])("refuses a tar with %s", (_, line) => {
  expect(() => decodeHeader(line)).toThrow(expect.objectContaining({ code: "archive_corrupt" }) as Error);
});
