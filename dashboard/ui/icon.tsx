// The few icons there are, drawn here: no icon font, no request, no dependency.
import type { ReactNode } from "react";

const PATHS = {
  check: "M3.5 8.5l3 3 6-7",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  download: "M8 2.5v8m0 0L4.5 7M8 10.5L11.5 7M2.5 13.5h11",
  file: "M4 1.5h5l3 3v10H4zM9 1.5v3h3",
  folder: "M1.5 3.5h5l1.5 2h6.5v8h-13z",
  lock: "M4 7.5h8v6H4zM5.5 7.5v-2a2.5 2.5 0 015 0v2",
  more: "M3 8h.01M8 8h.01M13 8h.01",
  play: "M5 3.5v9l7-4.5z",
  plus: "M8 3v10M3 8h10",
  search: "M7 2.5a4.5 4.5 0 100 9 4.5 4.5 0 000-9zM10.5 10.5l3 3",
  shield: "M8 1.5l5.5 2v4.5c0 3-2.2 5.3-5.5 6.5-3.3-1.2-5.5-3.5-5.5-6.5V3.5z",
  stop: "M4 4h8v8H4z",
  warning: "M8 2l6.5 11.5h-13zM8 6.5v3.5M8 12h.01",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
