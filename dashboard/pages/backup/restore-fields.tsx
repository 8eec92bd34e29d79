// The choices of a restore: what comes back, and where it goes.
import type { ReactNode } from "react";
import type { ApiFault } from "../../api/problem.ts";
import { count } from "../../lib/format.ts";
import { mayChangeUrl, type RestoreDraft, type What } from "../../lib/restore-order.ts";
import { SelectField, TextField } from "../../ui/field.tsx";

const WHATS: readonly (readonly [What, string])[] = [
  ["all", "Everything: database, files and wp-config.php"],
  ["db", "The database only"],
  ["files", "wp-content only"],
  ["config", "wp-config.php only"],
];

interface RestoreFieldsProps {
  readonly draft: RestoreDraft;
  readonly onChange: (draft: RestoreDraft) => void;
  readonly fault: ApiFault | null;
}

export function RestoreFields({ draft, onChange, fault }: RestoreFieldsProps): ReactNode {
  const chosen = draft.paths.length;
  const whats =
    chosen === 0 ? WHATS : [["paths", `What was ticked: ${count(chosen, "path")}`] as const, ...WHATS];
  return (
    <>
      <SelectField
        label="What"
        value={draft.what}
        options={whats}
        onChange={(what) => onChange({ ...draft, what: what as What })}
        help={draft.what === "paths" ? draft.paths.slice(0, 5).join(", ") : undefined}
      />
      <SelectField
        label="Where to"
        value={draft.where}
        options={[
          ["site", "Into the site, in place of what is there"],
          ["directory", "Into a new directory on its node"],
        ]}
        onChange={(where) => onChange({ ...draft, where: where as RestoreDraft["where"] })}
        help={
          draft.where === "site"
            ? "What is there now is kept for a week: Undo brings it back."
            : "Nothing that is in use is touched."
        }
      />
      {draft.where === "directory" ? (
        <TextField
          label="Directory"
          value={draft.directory}
          onChange={(directory) => onChange({ ...draft, directory })}
          placeholder="/root/restored"
          help="Absolute; new or empty."
          error={fault?.issueOf("to")}
          spellCheck={false}
          required
        />
      ) : null}
      {mayChangeUrl(draft) ? (
        <TextField
          label="New address of the site"
          type="url"
          value={draft.newUrl}
          onChange={(newUrl) => onChange({ ...draft, newUrl })}
          placeholder="Leave as it is"
          help="Rewrites the address everywhere in the database."
          error={fault?.issueOf("new_url")}
        />
      ) : null}
    </>
  );
}
