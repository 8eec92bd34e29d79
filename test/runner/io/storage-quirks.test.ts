// Which storages get parts of one size: those known for it, and those that have refused others here.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { rememberEqualParts, wantsEqualParts } from "#runner/io/storage-quirks.ts";
import { tempDir } from "../control/harness.ts";

it("knows Cloudflare R2 by its name, and others once they were remembered", async () => {
  await using dir = await tempDir();
  const file = join(dir.path, "quirks.json");
  const strict = "https://s3.strict.example";
  expect(await wantsEqualParts(file, "https://abc.eu.r2.cloudflarestorage.com")).toBe(true);
  expect(await wantsEqualParts(file, "https://r2.cloudflarestorage.com.example.com")).toBe(false);
  expect(await wantsEqualParts(file, undefined)).toBe(false);
  expect(await wantsEqualParts(file, strict)).toBe(false);
  await rememberEqualParts(file, strict);
  await rememberEqualParts(file, strict);
  expect(await wantsEqualParts(file, strict)).toBe(true);
  expect(await wantsEqualParts(file, "https://s3.other.example")).toBe(false);
  await writeFile(file, "{");
  expect(await wantsEqualParts(file, strict)).toBe(false);
});
