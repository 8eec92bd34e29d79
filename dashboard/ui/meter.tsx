// How much of something is used: in words, and for the eyes as a bar.
import type { ReactNode } from "react";
import { percent } from "../lib/format.ts";

interface MeterProps {
  readonly value: number;
  readonly max: number;
  readonly text: ReactNode;
  readonly tone?: "good" | "warn" | "bad" | "busy";
}

export function Meter({ value, max, text, tone = "good" }: MeterProps): ReactNode {
  const part = percent(value, max);
  return (
    <div className="meter">
      <div className="meter-text">{text}</div>
      <div className={`meter-bar ${tone}`} aria-hidden="true">
        <div style={{ inlineSize: `${part}%` }} />
      </div>
    </div>
  );
}
