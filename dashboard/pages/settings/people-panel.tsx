// Who I am here, what that lets me do, and how people come to their roles: nobody's role is changed from this page.
import type { ReactNode } from "react";
import type { Role } from "#shared/contracts/identity.ts";
import type { RoleSources } from "#shared/contracts/sign-in.ts";
import { useCall } from "../../api/hooks.ts";
import { useMe } from "../../api/role.tsx";
import { type Session, useSession } from "../../api/session.ts";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Fact, Facts, Panel, Skeleton } from "../../ui/panel.tsx";
import { Moment } from "../../ui/time.tsx";

const MAY: Readonly<Record<Role, string>> = {
  viewer: "Sees everything, changes nothing",
  operator: "Backs up, restores, configures",
  admin: "Also removes things and makes API tokens",
};

export function PeoplePanel(): ReactNode {
  const me = useMe();
  const session = useSession();
  const sources = useCall("getRoles", {}, { everyMs: 5 * 60_000 });
  return (
    <Panel title="People and roles">
      <div className="panel-body">
        <Facts>
          <Fact term="Signed in as">{me.label}</Fact>
          <Fact term="Role">{me.role}</Fact>
          <Fact term="By">{session?.via === "issuer" ? "your organisation" : "an API token"}</Fact>
          {session?.endsMs === undefined ? null : (
            <Fact term="Until">{untilOf(session, session.endsMs)}</Fact>
          )}
        </Facts>
      </div>
      {sources.error === null ? null : <FaultNote fault={sources.error} onRetry={sources.refetch} />}
      {sources.data === undefined ? <Skeleton rows={3} /> : <Sources {...sources.data} />}
    </Panel>
  );
}

function untilOf({ refreshToken }: Session, endsMs: number): ReactNode {
  return (
    <>
      <Moment at={new Date(endsMs)} />
      {refreshToken === undefined ? null : ", renewed by itself"}
    </>
  );
}

function Sources({ issuer, claim, roles, link }: RoleSources): ReactNode {
  return (
    <>
      <div className="table-scroll">
        <table>
          <thead>
            <tr>
              <th>Role</th>
              <th>What it may do</th>
              <th>Who has it</th>
            </tr>
          </thead>
          <tbody>
            {roles.map(({ role, group }) => (
              <tr key={role}>
                <td>{role}</td>
                <td>{MAY[role]}</td>
                <td>
                  {group === null ? null : (
                    <>
                      Members of <code>{group}</code>, and{" "}
                    </>
                  )}
                  API tokens of that role
                  {link && role === "admin" ? ", and who opens the link of npm start" : ""}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="panel-body">
        <p className="muted small">
          {issuer === null ? (
            "People sign in with API tokens here. docs/OPERATIONS.md says how to let them sign in with your organisation's accounts."
          ) : (
            <>
              Accounts and groups are managed at {new URL(issuer).host}; the token's claim{" "}
              <code>{claim}</code> names the groups. Who is put into another group has that role from the next
              sign-in or renewal on.
            </>
          )}
        </p>
      </div>
    </>
  );
}
