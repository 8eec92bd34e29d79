// The one error type of both sides of the wire: a stable code, whether trying again helps, and what an
// operator can do about it. Every code is in docs/ERRORS.md, which is generated from this table.

/** `now`: the same call may succeed at once; `later`: after a while; `never`: somebody has to change something. */
export type RetryClass = "now" | "later" | "never";

export interface ErrorKind {
  /** HTTP status when the Master answers with it. */
  readonly status: number;
  readonly retry: RetryClass;
  /** What is wrong, in one line, without specifics. */
  readonly title: string;
  /** What the operator can do about it. */
  readonly hint: string;
}
