// Where the site is, when it is backed up, and how much of its quota is used.
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Site } from "#shared/contracts/sites.ts";
import { useCall } from "../../api/hooks.ts";
import { bytes, percent } from "../../lib/format.ts";
import { openNextRuns } from "../../lib/next-run.ts";
import { inWords } from "../../lib/schedule-words.ts";
import { useNow } from "../../lib/use-now.ts";
import { DayGrid } from "../../ui/day-grid.tsx";
import { Meter } from "../../ui/meter.tsx";
import { Fact, Facts, Panel } from "../../ui/panel.tsx";
import { Ago } from "../../ui/time.tsx";

export function SiteFacts({ site }: { site: Site }): ReactNode {
  const now = useNow();
  const node = useCall("getNode", { params: { id: site.node_id } });
  const next = openNextRuns(now)(site);
  return (
    <Panel title="Protection">
      <div className="panel-body">
        <Facts>
          <Fact term="Schedule">
            {site.schedule === null
              ? "None"
              : `${inWords(site.schedule.expression)} (${site.schedule.time_zone})`}
            {site.schedule?.enabled === false ? ", switched off" : ""}
          </Fact>
          <Fact term="Next backup">{next === undefined ? "Not scheduled" : <Ago at={next} />}</Fact>
          <Fact term="Last backup">
            {site.last_backup_at === null ? "Never" : <Ago at={site.last_backup_at} />}
          </Fact>
          <Fact term="Proved to restore">
            {site.last_proved_at === null ? "Never" : <Ago at={site.last_proved_at} />}
          </Fact>
          <Fact term="Node">
            {node.error?.kind === "missing" ? (
              <span className="muted">Shared</span>
            ) : (
              <Link href={`/nodes/${site.node_id}`}>{node.data?.name ?? "…"}</Link>
            )}
          </Fact>
          {site.tenant === null ? null : <Fact term="Tenant">{site.tenant}</Fact>}
          <Fact term="Path">
            <code>{site.path}</code>
          </Fact>
          <Fact term="Last 30 days" wide>
            <DayGrid site={site} today={now.toISOString().slice(0, 10)} />
          </Fact>
        </Facts>
        <QuotaMeter site={site} />
      </div>
    </Panel>
  );
}

/** From here on a quota is worth a look. */
const NEARLY_FULL_PERCENT = 85;

function QuotaMeter({ site }: { site: Site }): ReactNode {
  const quota = useCall("getSiteQuotaStatus", { params: { id: site.id } });
  const {
    used_bytes: used = 0,
    quota_bytes: max = null,
    reason = null,
    can_proceed: fits = true,
  } = quota.data ?? {};
  const isNearlyFull = max !== null && percent(used, max) >= NEARLY_FULL_PERCENT;
  return (
    <div>
      <Meter
        value={used}
        max={max ?? 0}
        tone={!fits ? "bad" : isNearlyFull ? "warn" : "good"}
        text={
          <>
            <span>Storage used</span>
            <span>
              {quota.data === undefined ? "…" : bytes(used)}
              {max === null ? ", no quota" : ` of ${bytes(max)}`}
            </span>
          </>
        }
      />
      {reason === null ? null : <p className="help bad">{reason}</p>}
    </div>
  );
}
