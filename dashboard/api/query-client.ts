// How answers are kept and when they are asked for again: quietly in the background, and never harder than the API likes.
import { QueryClient } from "@tanstack/react-query";
import { ApiFault } from "./problem.ts";

const MAX_RETRIES = 2;

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        gcTime: 10 * 60_000,
        // The browser's idea of "online" is often wrong; our own calls say it better.
        networkMode: "always",
        retry: retries,
        retryDelay: waitMs,
      },
      // A change is made once and then looked at; trying again is the operator's decision, but for POSTs (hooks.ts).
      mutations: { networkMode: "always", retry: false },
    },
  });
}

export function retries(failures: number, error: unknown): boolean {
  return failures < MAX_RETRIES && mayHelp(error);
}

/** 429 is waited out; a fault of the Master may pass; what the API has refused will be refused again. */
function mayHelp(error: unknown): boolean {
  if (!(error instanceof ApiFault)) return false;
  if (error.problem.code === "idempotency_in_flight") return true;
  return error.kind === "busy" || error.kind === "offline" || (error.problem.status ?? 0) >= 500;
}

export function waitMs(failures: number, error: unknown): number {
  const asked = error instanceof ApiFault ? (error.problem.retry_after_seconds ?? 0) * 1000 : 0;
  return Math.max(asked, 500 * 2 ** failures);
}
