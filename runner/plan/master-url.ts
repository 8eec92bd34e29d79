// The Master's URL as an operator may write it, made into what requests are built from.
import { API_BASE } from "#shared/operations.ts";

export type ParsedMasterUrl =
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly reason: string };

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Without the API's base and a slash at the end. A token must not travel in the clear, loopback excepted. */
export function parseMasterUrl(text: string): ParsedMasterUrl {
  if (!URL.canParse(text))
    return { ok: false, reason: `"${text}" is not a URL, such as https://master.example.com` };
  const url = new URL(text);
  const isPlain = url.protocol === "http:" && LOOPBACK.has(url.hostname);
  if (url.protocol !== "https:" && !isPlain) {
    return { ok: false, reason: "the Master's URL must begin with https:// (http:// only for this machine)" };
  }
  if (url.username !== "" || url.password !== "")
    return { ok: false, reason: "the URL must not carry a login" };
  const path = url.pathname.replace(/\/+$/, "");
  const base = path.endsWith(API_BASE) ? path.slice(0, -API_BASE.length) : path;
  return { ok: true, url: `${url.origin}${base}` };
}
