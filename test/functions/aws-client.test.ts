// No SDK client of the Master escapes the eyes of the local stack, which holds its calls against the function's role.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

const STORES = join(import.meta.dirname, "../../functions/stores");

test("every SDK client of the stores is made through awsClient", async () => {
  const bare: string[] = [];
  for (const file of await readdir(STORES)) {
    const text = await readFile(join(STORES, file), "utf8");
    for (const [found] of text.matchAll(/(\w+\()?new \w+Client\(/g)) {
      if (!found.startsWith("awsClient(")) bare.push(`${file}: ${found}`);
    }
  }
  // A storage provider's has the provider's rights.
  expect(bare).toEqual(["provider-client.ts: withOwnRights(new S3Client("]);
});
