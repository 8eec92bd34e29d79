// The Master's refusals as BackupErrors: its own problem documents, and what a gateway or a proxy before it says.
import * as z from "zod";
import { ERROR_KINDS, type ErrorCode } from "#shared/error-kinds.ts";
import { BackupError } from "#shared/errors.ts";
import type { HttpAnswer } from "./http-call.ts";

/** Looser than the contract: a newer Master may have codes and fields that this runner does not know. */
const LooseProblem = z.object({
  code: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  hint: z.string().optional(),
  message: z.string().optional(),
  request_id: z.string().optional(),
  retry_after_seconds: z.number().min(0).optional(),
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
type LooseProblem = z.infer<typeof LooseProblem>;

function parseProblem(text: string): LooseProblem {
  try {
    return LooseProblem.catch({}).parse(JSON.parse(text));
  } catch {
    // HTML of a proxy, say: the status then speaks for itself.
    return {};
  }
}

function isKnown(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(ERROR_KINDS, code);
}

function codeFor(status: number, problem: LooseProblem): ErrorCode {
  if (isKnown(problem.code)) return problem.code;
  if (status === 429) return "rate_limited";
  return status >= 500 ? "internal" : "master_refused";
}

/** Seconds of difference that the Master's tolerance does not cover for sure. */
const NOTABLE_SKEW_SECONDS = 20;

/** The remedy if this node's clock is off, undefined if it is right as far as we know. */
export function skewHint(skewMs: number | undefined): string | undefined {
  const seconds = Math.round((skewMs ?? 0) / 1000);
  if (Math.abs(seconds) < NOTABLE_SKEW_SECONDS) return undefined;
  const direction = seconds > 0 ? "ahead of" : "behind";
  return `This node's clock is ${Math.abs(seconds)} s ${direction} the Master's: set it right, e.g. \`timedatectl set-ntp true\`.`;
}

const IDENTITY_REFUSED: ReadonlySet<number> = new Set([401, 403]);

function retryAfterHeader(answer: HttpAnswer): number | undefined {
  const header = answer.header("retry-after");
  if (header === undefined) return undefined;
  const seconds = Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

function detailOf(answer: HttpAnswer, problem: LooseProblem, code: ErrorCode): string {
  const { status } = answer;
  const location = answer.header("location");
  if (location !== undefined) return `the Master's URL redirects to ${location.split("?")[0]}`;
  const said = problem.detail ?? problem.title ?? problem.message ?? `HTTP ${status}`;
  const foreign = problem.code !== undefined && problem.code !== code ? ` (${problem.code})` : "";
  const issues = (problem.issues ?? []).map((issue) => `${issue.path}: ${issue.message}`).join("; ");
  return `${said}${foreign}${issues === "" ? "" : `: ${issues}`}`.slice(0, 1500);
}

function hintOf(answer: HttpAnswer, problem: LooseProblem, skewMs: number | undefined): string | undefined {
  if (answer.status >= 300 && answer.status < 400) return "Enrol with the URL it redirects to.";
  const clock = IDENTITY_REFUSED.has(answer.status) ? skewHint(skewMs) : undefined;
  return clock ?? problem.hint;
}

export function problemError(answer: HttpAnswer, skewMs: number | undefined): BackupError {
  const problem = parseProblem(answer.text);
  const code = codeFor(answer.status, problem);
  const hint = hintOf(answer, problem, skewMs);
  const retryAfter = problem.retry_after_seconds ?? retryAfterHeader(answer);
  return new BackupError(code, {
    detail: detailOf(answer, problem, code),
    ...(hint === undefined ? {} : { hint }),
    data: {
      status: answer.status,
      ...(retryAfter === undefined ? {} : { retry_after_seconds: retryAfter }),
      ...(problem.request_id === undefined ? {} : { request_id: problem.request_id }),
    },
  });
}
