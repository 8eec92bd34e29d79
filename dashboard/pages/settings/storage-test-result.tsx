// What a test has found of a storage: each step by its outcome, and what that means for backups.
import type { ReactNode } from "react";
import type { ProbeStep, ProviderTest } from "#shared/contracts/storage.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";

const OUTCOMES: Readonly<Record<ProbeStep["outcome"], readonly [Tone, string]>> = {
  good: ["good", "Yes"],
  missing: ["warn", "No"],
  failed: ["bad", "Failed"],
  skipped: ["quiet", "Not tried"],
};

export function StorageTestResult({ test }: { test: ProviderTest }): ReactNode {
  const { usable, steps, notes, seconds } = test;
  return (
    <section aria-label="Result of the test">
      <p role="status">
        <Badge tone={usable ? "good" : "bad"}>{usable ? "Usable" : "Not usable"}</Badge>{" "}
        <span className="muted">tested in {seconds} s</span>
      </p>
      <ul className="plain-list">
        {steps.map(({ name, outcome, text }) => {
          const [tone, word] = OUTCOMES[outcome];
          return (
            <li key={name}>
              <Badge tone={tone}>{word}</Badge> {text}
            </li>
          );
        })}
      </ul>
      {notes.map((note) => (
        <p key={note} className="muted">
          {note}
        </p>
      ))}
    </section>
  );
}
