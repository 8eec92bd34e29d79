// An error as something to act on: what happened, what to do, and the words to search for.
import type { ReactNode } from "react";
import { Link } from "wouter";
import { ApiFault } from "../api/problem.ts";
import { Button } from "./button.tsx";

interface FaultViewProps {
  readonly fault: Error;
  readonly onRetry?: (() => unknown) | undefined;
}

/** Within a page or dialog. */
export function FaultNote({ fault, onRetry }: FaultViewProps): ReactNode {
  const { hint, code, requestId } = wordsOf(fault);
  return (
    <div className="note bad" role="alert">
      <p>
        <strong>{fault.message}</strong>
      </p>
      {hint === undefined ? null : <p>{hint}</p>}
      {code === undefined ? null : (
        <p className="muted small">
          <code>{code}</code>
          {requestId === undefined ? null : <> · request {requestId}</>}
        </p>
      )}
      {onRetry === undefined ? null : <Button onClick={() => void onRetry()}>Try again</Button>}
    </div>
  );
}

const TITLES: Readonly<Record<ApiFault["kind"], string>> = {
  offline: "The Master does not answer",
  session: "Your session has ended",
  forbidden: "Your role does not allow this",
  missing: "There is nothing here",
  busy: "Too many requests",
  problem: "That did not work",
};

/** In place of a page. */
export function FaultPage({ fault, onRetry }: FaultViewProps): ReactNode {
  const title = fault instanceof ApiFault ? TITLES[fault.kind] : "This page failed";
  const isMissing = fault instanceof ApiFault && fault.kind === "missing";
  const { hint, code } = wordsOf(fault);
  return (
    <div className="blank" role="alert">
      <h1>{title}</h1>
      <p>{isMissing ? "It may have been removed, or the address is not complete." : fault.message}</p>
      {isMissing || hint === undefined ? null : <p className="muted">{hint}</p>}
      {code === undefined ? null : (
        <p className="muted small">
          <code>{code}</code>
        </p>
      )}
      <p className="actions">
        {onRetry === undefined || isMissing ? null : (
          <Button onClick={() => void onRetry()}>Try again</Button>
        )}
        <Link href="/" className="button plain">
          To the fleet
        </Link>
      </p>
    </div>
  );
}

function wordsOf(fault: Error): {
  hint?: string | undefined;
  code?: string | undefined;
  requestId?: string | undefined;
} {
  if (!(fault instanceof ApiFault)) return {};
  return { hint: fault.hint, code: fault.problem.code, requestId: fault.problem.request_id };
}
