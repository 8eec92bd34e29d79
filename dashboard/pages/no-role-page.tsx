// Somebody whom the issuer knows and who has no role here: what to ask for, and the ways on.
import type { ReactNode } from "react";
import type { ApiFault } from "../api/problem.ts";
import { signOut } from "../api/sign-out.ts";
import { useTitle } from "../lib/use-title.ts";
import { Button } from "../ui/button.tsx";
import { IssuerButton } from "./issuer-button.tsx";

export function NoRolePage({ fault }: { fault: ApiFault }): ReactNode {
  useTitle("No role");
  return (
    <main className="page">
      <div className="blank" role="alert">
        <h1>You have no role here yet</h1>
        <p>{fault.message}</p>
        <p className="muted">{fault.hint}</p>
        <p className="actions">
          <IssuerButton look="plain">Sign in again</IssuerButton>
          <Button look="ghost" onClick={() => void signOut()}>
            Sign out
          </Button>
        </p>
      </div>
    </main>
  );
}
