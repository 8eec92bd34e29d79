// The site's active job, looked at every second while there is one; when it ends, what it changed is asked for again.
import { type UseQueryResult, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { Answer, OperationId } from "#shared/operations.ts";
import { useCall } from "../../api/hooks.ts";
import type { ApiFault } from "../../api/problem.ts";

const BUSY_MS = 1_000;
const IDLE_MS = 10_000;
const CHANGED_BY_A_JOB: readonly OperationId[] = [
  "getSite",
  "listSites",
  "listBackups",
  "listJobs",
  "getSiteQuotaStatus",
  "getFleetSummary",
];

export function useBackupStatus(id: string): UseQueryResult<Answer<"getBackupStatus">, ApiFault> {
  const cache = useQueryClient();
  const everyMs = (answer: Answer<"getBackupStatus"> | undefined): number =>
    answer !== undefined && answer.active !== null ? BUSY_MS : IDLE_MS;
  const status = useCall("getBackupStatus", { params: { id } }, { everyMs });
  const lastId = status.data?.last?.id;
  const seen = useRef(lastId);
  useEffect(() => {
    const isNew = seen.current !== undefined && lastId !== seen.current;
    seen.current = lastId ?? (status.data === undefined ? undefined : "");
    if (isNew) for (const old of CHANGED_BY_A_JOB) void cache.invalidateQueries({ queryKey: [old] });
  }, [lastId, status.data, cache]);
  return status;
}
