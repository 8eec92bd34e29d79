// When a site is backed up: chosen in plain words, with the next five runs shown before anything is saved.
import { type ReactNode, useState } from "react";
import type { Schedule, Site } from "#shared/contracts/sites.ts";
import { suggestSchedule } from "#shared/suggest-schedule.ts";
import { type Change, useChange } from "../../api/hooks.ts";
import { useMay } from "../../api/role.tsx";
import { fromExpression, inWords, type PlainSchedule, toExpression } from "../../lib/schedule-words.ts";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { CheckField, SelectField } from "../../ui/field.tsx";
import { Panel } from "../../ui/panel.tsx";
import { NextRuns } from "./next-runs.tsx";
import { PlainScheduleFields } from "./plain-schedule-fields.tsx";

const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];
const SPREADS = [0, 5, 15, 30, 60, 120, 240];

interface Draft {
  readonly plain: PlainSchedule;
  readonly zone: string;
  readonly flexible: number;
  readonly enabled: boolean;
}

export function SchedulePanel({ site }: { site: Site }): ReactNode {
  const may = useMay()("putSiteSchedule");
  const save = useChange("putSiteSchedule", ["getSite", "listSites", "getFleetSummary"]);
  return (
    <Panel title="Schedule">
      {may ? (
        // A schedule that was changed elsewhere replaces what was begun here.
        <ScheduleForm key={JSON.stringify(site.schedule)} site={site} save={save} />
      ) : (
        <div className="panel-body">
          <p>
            {site.schedule === null
              ? "None."
              : `${inWords(site.schedule.expression)} (${site.schedule.time_zone}).`}
          </p>
          {site.schedule === null ? null : <NextRuns schedule={site.schedule} anchor={site.created_at} />}
        </div>
      )}
    </Panel>
  );
}

interface ScheduleFormProps {
  readonly site: Site;
  readonly save: Change<"putSiteSchedule">;
}

function ScheduleForm({ site, save }: ScheduleFormProps): ReactNode {
  const [draft, setDraft] = useState(() => draftOf(site));
  const change = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));
  const schedule = scheduleOf(draft);
  const isSame =
    site.schedule !== null && JSON.stringify(schedule) === JSON.stringify(ordered(site.schedule));
  return (
    <form
      className="panel-body"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate({ params: { id: site.id }, body: schedule });
      }}
    >
      <div className="columns">
        <div className="form">
          <PlainScheduleFields plain={draft.plain} onChange={(plain) => change({ plain })} />
          <div className="form-row">
            <SelectField
              label="Time zone"
              value={draft.zone}
              onChange={(zone) => change({ zone })}
              options={withValue(ZONES, draft.zone).map((zone) => [zone, zone] as const)}
            />
            <SelectField
              label="Spread the start"
              value={String(draft.flexible)}
              onChange={(text) => change({ flexible: Number(text) })}
              options={withValue(SPREADS, draft.flexible).map(
                (minutes) => [String(minutes), spreadText(minutes)] as const,
              )}
              help="So that a fleet does not start at once."
            />
          </div>
          <CheckField
            label="Switched on"
            checked={draft.enabled}
            onChange={(enabled) => change({ enabled })}
          />
        </div>
        <NextRuns schedule={schedule} anchor={site.created_at} />
      </div>
      {save.error === null ? null : <FaultNote fault={save.error} />}
      <div className="actions">
        <Button type="submit" look="primary" busy={save.isPending} disabled={isSame}>
          Save schedule
        </Button>
        <span className="muted" role="status">
          {save.isSuccess && isSame ? "Saved." : ""}
        </span>
      </div>
    </form>
  );
}

function draftOf({ id, schedule }: Site): Draft {
  const {
    expression,
    time_zone: zone,
    flexible_minutes: flexible,
    enabled,
  } = schedule ?? suggestSchedule(id, Intl.DateTimeFormat().resolvedOptions().timeZone);
  return { plain: fromExpression(expression), zone, flexible, enabled };
}

function scheduleOf({ plain, zone, flexible, enabled }: Draft): Schedule {
  return { expression: toExpression(plain), time_zone: zone, flexible_minutes: flexible, enabled };
}

function ordered({ expression, time_zone, flexible_minutes, enabled }: Schedule): Schedule {
  return { expression, time_zone, flexible_minutes, enabled };
}

/** What is set stays choosable, also when it is none of ours. */
function withValue<T>(values: readonly T[], value: T): readonly T[] {
  return values.includes(value) ? values : [value, ...values];
}

function spreadText(minutes: number): string {
  if (minutes === 0) return "Not at all";
  return minutes % 60 === 0 ? `Over ${minutes / 60} h` : `Over ${minutes} min`;
}
