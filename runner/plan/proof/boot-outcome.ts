// What a visit to the restored WordPress says of the backup. The words come from a site that may be hostile: they are data,
// cut short and without control characters. Pure.
import type { Finding } from "#shared/contracts/restores.ts";
import { ANSWER_MARK } from "./boot-scripts.ts";

export type BootOutcome =
  | {
      readonly kind: "booted";
      readonly status: number;
      readonly seconds: number;
      readonly findings: readonly Finding[];
      readonly warnings: readonly Finding[];
    }
  /** Nothing of it is the backup's fault. */
  | { readonly kind: "not-booted"; readonly why: string };

const SAID_CHARS = 600;
const WHY_CHARS = 500;

export function notBooted(why: string): BootOutcome {
  return { kind: "not-booted", why: printable(why).slice(0, WHY_CHARS) };
}

/** `output`: all that the cage has written; `end`: how it ended, if there is no answer in it. */
export function bootOutcome(output: string, end: string): BootOutcome {
  const answer = answerIn(output);
  if (answer === undefined) {
    const last = output.trim().split("\n").at(-1) ?? "";
    return notBooted(`the cage ended with ${end}: ${last}`);
  }
  const { skipped, status, seconds, location, log, text } = answer;
  if (typeof skipped === "string") return notBooted(skipped);
  const code = isWhole(status) ? status : 0;
  const visit = { kind: "booted", status: code, seconds: isTime(seconds) ? seconds : 0 } as const;
  const fatal = typeof log === "string" ? fatalIn(log) : undefined;
  if (code === 200 && fatal === undefined) return { ...visit, findings: [], warnings: [] };
  // Without a fatal error it is WordPress or a plugin that gave up: the page says why.
  const said = fatal ?? (typeof text === "string" ? printable(text).slice(0, SAID_CHARS) : "");
  if (code >= 300 && code < 400) {
    const to = typeof location === "string" ? printable(location).slice(0, SAID_CHARS) : "nowhere";
    const message = `The restored WordPress leads its visitors elsewhere: ${code} to ${to}`;
    return { ...visit, findings: [], warnings: [{ code: "boot_redirected", message }] };
  }
  const how = code === 0 ? "did not answer" : `answered ${code}`;
  const message = `The restored WordPress ${how}${said === "" ? "" : `: ${said}`}`;
  return { ...visit, findings: [{ code: "boot_failed", message }], warnings: [] };
}

function answerIn(output: string): Record<string, unknown> | undefined {
  const line = output.split("\n").findLast((each) => each.startsWith(ANSWER_MARK));
  if (line === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(line.slice(ANSWER_MARK.length));
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

/** PHP's first line of it; the trace says no more that would help, and may have values in it. */
function fatalIn(log: string): string | undefined {
  const line = log.split("\n").find((each) => /PHP (?:Fatal|Parse) error:/.test(each));
  if (line === undefined) return undefined;
  const said = line.slice(line.search(/PHP (?:Fatal|Parse) error:/));
  return printable(said).replace(/ {2,}/g, " ").replaceAll("/site/", "").slice(0, SAID_CHARS);
}

function printable(text: string): string {
  return text.replace(/\p{C}/gu, " ").trim();
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 1000;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
