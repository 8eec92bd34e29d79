// What a storage does not do that S3 does, as far as an upload had to learn it the hard way: kept on the node, so that it
// is learnt once.
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { writeFileAtomic } from "./atomic-file.ts";

const Quirks = z.object({ equal_parts: z.array(z.string()) });

/** Documented there: all parts but the last must be the same size (developers.cloudflare.com/r2/objects). */
const R2_HOST = /\.r2\.cloudflarestorage\.com$/;

/** Whether all parts of an upload but the last must be of one size. `endpoint` is undefined on AWS. */
export async function wantsEqualParts(file: string, endpoint: string | undefined): Promise<boolean> {
  if (endpoint === undefined) return false;
  if (R2_HOST.test(new URL(endpoint).hostname)) return true;
  return (await readQuirks(file)).equal_parts.includes(endpoint);
}

/** After an upload that only worked so. */
export async function rememberEqualParts(file: string, endpoint: string | undefined): Promise<void> {
  if (endpoint === undefined || (await wantsEqualParts(file, endpoint))) return;
  const { equal_parts } = await readQuirks(file);
  const quirks: z.infer<typeof Quirks> = { equal_parts: [...equal_parts, endpoint] };
  await writeFileAtomic(file, JSON.stringify(quirks));
}

async function readQuirks(file: string): Promise<z.infer<typeof Quirks>> {
  try {
    return Quirks.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return { equal_parts: [] }; // None yet, or damaged: it is learnt again.
  }
}
