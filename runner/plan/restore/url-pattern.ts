// A site's address as it stands in a database, in all the spellings that WordPress and its plugins store: plain, with
// JSON's escaped slashes (also of JSON within JSON), percent-encoded, and without a scheme. Pure.
import { BackupError } from "#shared/errors.ts";

export interface UrlChange {
  readonly from: string;
  readonly to: string;
}

export interface UrlReplacer {
  /** What every spelling has in it; text without it needs no further look. */
  readonly needle: string;
  replace(text: string): { readonly text: string; readonly count: number };
}

/** Without a slash at the end; paths in it are kept as they are. @throws BackupError `invalid_request`. */
export function normalUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || /[?#@\s"'<>\\]/.test(url)) {
    throw new BackupError("invalid_request", { detail: `${url} is not the address of a site` });
  }
  return `${parsed.protocol}//${parsed.host}${parsed.pathname.replace(/\/+$/, "")}`;
}

/** Both as `normalUrl` gives them. */
export function urlReplacer({ from, to }: UrlChange): UrlReplacer {
  const [old, next] = [partsOf(from), partsOf(to)];
  const port = old.port === "" ? "" : `(?::|%3[Aa])${old.port}`;
  const path = old.path.map((part) => `\\k<slash>${literal(part)}`).join("");
  // Not the beginning of a longer name, of another port, or of a path that only begins alike.
  const end = "(?![\\w-]|(?::|%3[Aa])\\d|\\.\\w)";
  const pattern = new RegExp(
    `(?:(?<scheme>https?)(?<colon>:|%3[Aa])|(?<![\\w:/\\\\]))(?<slash>\\\\*/|%2[Ff])\\k<slash>${literal(old.name)}${port}${path}${end}`,
    "g",
  );
  return {
    needle: old.name,
    replace(text) {
      let count = 0;
      const replaced = text.replace(pattern, (...found: unknown[]) => {
        count += 1;
        const groups = found.at(-1) as { scheme?: string; colon?: string; slash: string };
        const { scheme, colon = ":", slash } = groups;
        const isEncoded = slash.startsWith("%");
        const nextPort = next.port === "" ? "" : `${isEncoded ? "%3A" : ":"}${next.port}`;
        const before = scheme === undefined ? "" : `${next.scheme}${colon}`;
        return `${before}${slash}${slash}${next.name}${nextPort}${next.path.map((part) => slash + part).join("")}`;
      });
      return { text: replaced, count };
    },
  };
}

interface UrlParts {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
  readonly path: readonly string[];
}

function partsOf(url: string): UrlParts {
  const { protocol, hostname, port, pathname } = new URL(url);
  return {
    scheme: protocol.slice(0, -1),
    name: hostname,
    port,
    path: pathname.split("/").filter((part) => part !== ""),
  };
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
