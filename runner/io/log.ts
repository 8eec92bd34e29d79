// Where the runner says what it does: JSON lines for machines, readable lines and one live progress line for a
// person at a terminal. Event names are stable; every line passes the redaction.
import type { Writable } from "node:stream";
import { pino } from "pino";
import { describeError } from "../plan/error-class.ts";
import { redactText } from "../plan/redact.ts";
import type { Terminal } from "./terminal.ts";

/** `error`, if there, is described with code, retry, hint and causes; nothing else may be an object of ours. */
export type LogFields = Readonly<Record<string, unknown>> & { readonly error?: unknown };

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** The same log with these fields on every line. */
  child(fields: LogFields): Log;
}

const LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LEVELS)[number];

type Write = (level: LogLevel, event: string, fields: LogFields) => void;

function logOf(write: Write, bound: LogFields): Log {
  const at =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}): void => {
      const { error, ...rest } = { ...bound, ...fields };
      write(level, event, error === undefined ? rest : { ...rest, error: describeError(error) });
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => logOf(write, { ...bound, ...fields }),
  };
}

/** One JSON object per line: `{"level":"info","time":"…","event":"job.claimed","job_id":"…"}`. */
export function jsonLog(out: Writable, level: LogLevel): Log {
  const lines = pino(
    {
      level,
      base: null,
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => void out.write(redactText(line)) },
  );
  return logOf((at, event, fields) => lines[at](fields, event), {});
}

function humanFields(fields: LogFields): string {
  const shown = Object.entries(fields).filter(([key]) => key !== "error");
  return shown
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

function humanError(error: ReturnType<typeof describeError>): string[] {
  const code = error.code === undefined ? "" : ` (${error.code})`;
  return [
    `  ${error.message}${code}`,
    ...(error.causes ?? []).map((cause) => `  caused by ${cause}`),
    ...(error.hint === undefined ? [] : [`  → ${error.hint}`]),
    ...(error.stack === undefined ? [] : [error.stack]),
  ];
}

/** Lines for a person; they move the terminal's live line out of the way. */
export function humanLog(terminal: Terminal, level: LogLevel, now: () => Date): Log {
  const write: Write = (at, event, fields) => {
    if (LEVELS.indexOf(at) < LEVELS.indexOf(level)) return;
    const mark = at === "info" || at === "debug" ? "" : `${at.toUpperCase()} `;
    terminal.line(
      redactText(`${now().toISOString().slice(11, 19)} ${mark}${event} ${humanFields(fields)}`.trimEnd()),
    );
    if (fields.error === undefined) return;
    for (const line of humanError(fields.error as ReturnType<typeof describeError>)) {
      terminal.line(redactText(line));
    }
  };
  return logOf(write, {});
}
