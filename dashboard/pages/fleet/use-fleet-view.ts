// Search, filter and order of the fleet's table, kept in the address: a reload, a bookmark and a colleague see the same.
import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";
import { SITE_HEALTHS } from "#shared/site-health.ts";
import { type FleetView, SORTS } from "../../lib/fleet-rows.ts";

export function useFleetView(): readonly [FleetView, (change: Partial<FleetView>) => void] {
  const [params, setParams] = useSearchParams();
  const view = useMemo(() => readView(params), [params]);
  const change = useCallback(
    (wanted: Partial<FleetView>) =>
      setParams((now) => writeView({ ...readView(now), ...wanted }), { replace: true }),
    [setParams],
  );
  return [view, change];
}

function readView(params: URLSearchParams): FleetView {
  const sort = params.get("sort") ?? "health";
  return {
    search: params.get("q") ?? "",
    health: SITE_HEALTHS.find((health) => health === params.get("health")),
    isUnproved: params.get("proof") === "none",
    sort: SORTS.find((one) => one === sort.replace(/^-/, "")) ?? "health",
    isReversed: sort.startsWith("-"),
  };
}

/** Only what differs from what everybody sees first. */
function writeView({ search, health, isUnproved, sort, isReversed }: FleetView): URLSearchParams {
  const params = new URLSearchParams();
  if (search !== "") params.set("q", search);
  if (health !== undefined) params.set("health", health);
  if (isUnproved) params.set("proof", "none");
  if (sort !== "health" || isReversed) params.set("sort", `${isReversed ? "-" : ""}${sort}`);
  return params;
}
