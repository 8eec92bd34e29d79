// How often a site's address stands in a dump that is not imported yet: what a dry run can say of a new address.
import { normalUrl, urlReplacer } from "../../plan/restore/url-pattern.ts";
import type { UrlChanged } from "./change-url.ts";
import type { DumpSource } from "./import-dump.ts";

/** An option's row as dumps write it: the name, then the value. */
const HOME = /'home','(https?:\/\/[^'\\]+)'/;

/** Places only: which rows and tables they are in shows when the dump is imported. Undefined if it has no address. */
export async function countUrl(
  source: DumpSource,
  newUrl: string,
  signal: AbortSignal,
): Promise<UrlChanged | undefined> {
  const to = normalUrl(newUrl);
  let home: string | undefined;
  for await (const text of textsOf(source, signal)) {
    home = HOME.exec(text)?.[1];
    if (home !== undefined) break;
  }
  if (home === undefined) return undefined;
  const from = normalUrl(home);
  const replacer = urlReplacer({ from, to });
  let values = 0;
  for await (const text of textsOf(source, signal)) values += replacer.replace(text).count;
  return { from, to, tables: 0, rows: 0, values, skipped: [] };
}

/** Pieces that end where a line does, so that no row's name and value and no address is cut. */
async function* textsOf(source: DumpSource, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  let carried = "";
  for await (const chunk of source.bytes()) {
    signal.throwIfAborted();
    const text = carried + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    // Rows of one long line end like this, too.
    const end = Math.max(text.lastIndexOf("\n"), text.lastIndexOf("),("));
    if (end > 0) yield text.slice(0, end);
    carried = end > 0 ? text.slice(end) : text;
  }
  yield carried;
}
