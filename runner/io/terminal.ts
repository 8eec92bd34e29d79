// A person's terminal: finished lines scroll up, at most one live line stays at the bottom and is redrawn.
import type { Writable } from "node:stream";

export interface Terminal {
  /** Whether a live line makes sense here. */
  readonly isLive: boolean;
  readonly columns: number;
  line(text: string): void;
  /** Replaces the live line; undefined removes it. */
  live(text: string | undefined): void;
}

const CLEAR_LINE = "\r\u001b[2K";

/** Names come from sites and servers, which may be hostile: no control character reaches the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (char) => (char === "\n" || char === "\t" ? char : "\uFFFD"));
}

export function openTerminal(out: Writable & { isTTY?: boolean; columns?: number }): Terminal {
  let shown: string | undefined;
  return {
    isLive: out.isTTY === true,
    get columns() {
      // A terminal that was never told its size says 0.
      return out.columns || 80;
    },
    line(text) {
      if (shown === undefined) out.write(`${printable(text)}\n`);
      else out.write(`${CLEAR_LINE}${printable(text)}\n${shown}`);
    },
    live(text) {
      if (out.isTTY !== true) return;
      if (text === undefined && shown === undefined) return;
      shown = text === undefined ? undefined : printable(text);
      out.write(`${CLEAR_LINE}${shown ?? ""}`);
    },
  };
}
