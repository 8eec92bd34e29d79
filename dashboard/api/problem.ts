// What went wrong with a call, in the one shape that pages show: a title, what happened, and what to do about it.
import type { Problem } from "#shared/contracts/common.ts";

export type FaultKind = "offline" | "session" | "forbidden" | "missing" | "busy" | "problem";

export class ApiFault extends Error {
  readonly kind: FaultKind;
  readonly problem: Partial<Problem>;

  constructor(kind: FaultKind, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? "The call failed.");
    this.name = "ApiFault";
    this.kind = kind;
    this.problem = problem;
  }

  get hint(): string | undefined {
    return this.problem.hint;
  }

  /** What the API said about one field of the body, for instance `schedule.expression`. */
  issueOf(path: string): string | undefined {
    return this.problem.issues?.find((issue) => issue.path === path)?.message;
  }
}

const KINDS: Readonly<Record<number, FaultKind>> = {
  401: "session",
  403: "forbidden",
  404: "missing",
  429: "busy",
};

/** The API's own words where there are any; a proxy in between may answer anything. */
export async function faultOf(response: Response): Promise<ApiFault> {
  const kind = KINDS[response.status] ?? "problem";
  const isProblem = /json/.test(response.headers.get("content-type") ?? "");
  const known = isProblem ? ((await response.json().catch(() => ({}))) as Partial<Problem>) : {};
  const title = `The API answered ${response.status}`;
  return new ApiFault(kind, {
    title,
    hint: "Try again; if it stays, check the way between this browser and the Master.",
    ...known,
    status: response.status,
    retry_after_seconds: known.retry_after_seconds ?? retryAfterOf(response),
  });
}

function retryAfterOf(response: Response): number {
  const seconds = Number(response.headers.get("retry-after"));
  return Number.isFinite(seconds) ? seconds : 0;
}

export function offlineFault(cause: unknown): ApiFault {
  const fault = new ApiFault("offline", {
    title: "The Master does not answer",
    detail: "The Master cannot be reached from this browser.",
    hint: "Check the network. This page tries again by itself.",
  });
  fault.cause = cause;
  return fault;
}
