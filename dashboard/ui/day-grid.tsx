// Thirty days of a site as thirty squares, with the same in words for those who do not see them.
import { memo, type ReactNode } from "react";
import type { RecentDays } from "#shared/contracts/sites.ts";
import { dayOutcomes } from "../lib/recent-days.ts";

const [SIZE, GAP] = [8, 2];
const WORDS = {
  s: "backed up",
  f: "failed",
  m: "failed, then backed up or the other way round",
  "-": "no backup",
};

interface DayGridProps {
  readonly days: RecentDays | null;
  /** ISO date of today in UTC. */
  readonly today: string;
}

function DayGridView({ days, today }: DayGridProps): ReactNode {
  const outcomes = dayOutcomes(days, today);
  const good = outcomes.filter(({ outcome }) => outcome === "s" || outcome === "m").length;
  const bad = outcomes.filter(({ outcome }) => outcome === "f" || outcome === "m").length;
  const width = outcomes.length * (SIZE + GAP) - GAP;
  return (
    <svg
      className="days"
      width={width}
      height={SIZE + 4}
      viewBox={`0 0 ${width} ${SIZE + 4}`}
      role="img"
      aria-label={`Last ${outcomes.length} days: backed up on ${good}, failures on ${bad}`}
    >
      {outcomes.map(({ date, outcome }, at) => (
        <rect
          key={date}
          className={`day-${outcome === "-" ? "none" : outcome}`}
          x={at * (SIZE + GAP)}
          width={SIZE}
          height={SIZE + 4}
          rx={1.5}
        >
          <title>{`${date}: ${WORDS[outcome]}`}</title>
        </rect>
      ))}
    </svg>
  );
}

/** A row of a long list is drawn again only when it changes. */
export const DayGrid = memo(DayGridView);
