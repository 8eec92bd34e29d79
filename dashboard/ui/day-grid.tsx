// Thirty days of a site as thirty marks, each outcome of its own shape as well as colour, with the same in words for those
// who do not see them.
import { memo, type ReactNode, useMemo } from "react";
import type { Site } from "#shared/contracts/sites.ts";
import { type Shown, shownDays } from "../lib/recent-days.ts";

const [WIDTH, HEIGHT, GAP] = [8, 12, 2];
const WORDS: Readonly<Record<Shown, string>> = {
  s: "backed up",
  f: "failed",
  m: "failed, then backed up or the other way round",
  "!": "missed, a backup was due",
  "-": "no backup was due",
};

interface DayGridProps {
  readonly site: Site;
  /** ISO date of today in UTC. */
  readonly today: string;
}

function DayGridView({ site, today }: DayGridProps): ReactNode {
  const days = useMemo(() => shownDays(site, today), [site, today]);
  const countOf = (...kinds: Shown[]): number => days.filter(({ outcome }) => kinds.includes(outcome)).length;
  const width = days.length * (WIDTH + GAP) - GAP;
  return (
    <svg
      className="days"
      width={width}
      height={HEIGHT}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      role="img"
      aria-label={`Last ${days.length} days (UTC): backed up on ${countOf("s", "m")}, failures on ${countOf("f", "m")}, missed on ${countOf("!")}`}
    >
      {days.map(({ date, outcome }, at) => (
        <g key={date} transform={`translate(${at * (WIDTH + GAP)} 0)`}>
          <title>{`${date} (UTC): ${date === today && outcome === "-" ? "none so far" : WORDS[outcome]}`}</title>
          <Mark outcome={outcome} />
        </g>
      ))}
    </svg>
  );
}

/** Full: backed up. Struck through: failed. Halved: both. A frame: missed. A dash: nothing was due. */
function Mark({ outcome }: { outcome: Shown }): ReactNode {
  switch (outcome) {
    case "!":
      return <rect className="day-missed" x={0.5} y={0.5} width={WIDTH - 1} height={HEIGHT - 1} rx={1.5} />;
    case "-":
      return <rect className="day-none" y={HEIGHT / 2 - 1.5} width={WIDTH} height={3} rx={1.5} />;
    case "s":
      return <rect className="day-s" width={WIDTH} height={HEIGHT} rx={1.5} />;
    case "f":
    case "m":
      return (
        <>
          <rect className={`day-${outcome}`} width={WIDTH} height={HEIGHT} rx={1.5} />
          <path
            className="day-stroke"
            d={outcome === "f" ? `M0 ${HEIGHT}L${WIDTH} 0` : `M0 ${HEIGHT / 2}H${WIDTH}`}
          />
        </>
      );
  }
}

/** A row of a long list is drawn again only when it changes. */
export const DayGrid = memo(DayGridView);
