// How often the newest backup is proved to restore.
import { type ReactNode, useState } from "react";
import type { ProofSchedule, Site } from "#shared/contracts/sites.ts";
import { useChange } from "../../api/hooks.ts";
import { useMay } from "../../api/role.tsx";
import { inWords } from "../../lib/schedule-words.ts";
import { BootField } from "../../ui/boot-field.tsx";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { CheckField, SelectField } from "../../ui/field.tsx";
import { Panel } from "../../ui/panel.tsx";

const WEEKLY = "cron(0 5 ? * SUN *)";
const CHOICES: readonly (readonly [string, string])[] = [
  ["", "Never"],
  [WEEKLY, "Every Sunday at 05:00"],
  ["cron(0 5 1 * ? *)", "On the first of each month at 05:00"],
  ["cron(0 5 * * ? *)", "Every day at 05:00"],
];

export function ProofPanel({ site }: { site: Site }): ReactNode {
  const isAllowed = useMay()("putSiteProof");
  const [expression, setExpression] = useState(site.proof?.enabled === true ? site.proof.expression : "");
  const [deep, setDeep] = useState(site.proof?.deep ?? true);
  const [boot, setBoot] = useState(site.proof?.boot ?? false);
  const save = useChange("putSiteProof", ["getSite", "listSites"]);
  const known = CHOICES.some(([value]) => value === expression);
  const body: ProofSchedule = {
    expression: expression === "" ? (site.proof?.expression ?? WEEKLY) : expression,
    time_zone: site.proof?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    flexible_minutes: site.proof?.flexible_minutes ?? 60,
    enabled: expression !== "",
    deep,
    boot: deep && boot,
  };
  return (
    <Panel title="Proof">
      <form
        className="panel-body"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ params: { id: site.id }, body });
        }}
      >
        <SelectField
          label="Check the newest backup"
          value={expression}
          onChange={setExpression}
          options={known ? CHOICES : [...CHOICES, [expression, inWords(expression)] as const]}
          disabled={!isAllowed}
        />
        <CheckField
          label="Prove it: restore it into a throw-away database and compare everything"
          checked={deep}
          onChange={setDeep}
          disabled={!isAllowed}
        />
        <BootField
          siteId={site.id}
          checked={deep && boot}
          onChange={setBoot}
          disabled={!(isAllowed && deep)}
        />
        {save.error === null ? null : <FaultNote fault={save.error} />}
        {isAllowed ? (
          <div className="actions">
            <Button type="submit" busy={save.isPending}>
              Save
            </Button>
            <span className="muted" role="status">
              {save.isSuccess ? "Saved." : ""}
            </span>
          </div>
        ) : null}
      </form>
    </Panel>
  );
}
