// A moment as this reader's clocks show it; the title has it in UTC, to compare with logs.
import type { ReactNode } from "react";
import { ago } from "../lib/format.ts";
import { useNow } from "../lib/use-now.ts";

const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function utc(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** How long ago, or in how long. */
export function Ago({ at }: { at: string | Date }): ReactNode {
  const date = new Date(at);
  const now = useNow();
  return (
    <time dateTime={date.toISOString()} title={`${local.format(date)} · ${utc(date)}`}>
      {ago(date, now)}
    </time>
  );
}

/** Date and time, local. */
export function Moment({ at }: { at: string | Date }): ReactNode {
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()} title={utc(date)}>
      {local.format(date)}
    </time>
  );
}
