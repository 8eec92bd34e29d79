// What the signed-in person may do: asked of the API's own table, so a button is there exactly when its call would not
// be refused for the role.

import { ROUTES } from "virtual:api-routes";
import { createContext, type ReactNode, useContext } from "react";
import type { Me } from "#shared/contracts/identity.ts";
import type { OperationId } from "#shared/operations.ts";

const RANK: Readonly<Record<string, number>> = { public: 0, viewer: 1, operator: 2, admin: 3 };

const MeContext = createContext<Me>({ id: "", label: "", role: "viewer", tenant: null });

export function MeProvider({ me, children }: { me: Me; children: ReactNode }): ReactNode {
  return <MeContext value={me}>{children}</MeContext>;
}

export function useMe(): Me {
  return useContext(MeContext);
}

export function useMay(): (operation: OperationId) => boolean {
  const { role, tenant } = useMe();
  return (operation) => {
    const { access, fleetWide = false } = ROUTES[operation];
    if (fleetWide && tenant !== null) return false;
    return (RANK[role] ?? 0) >= (RANK[access] ?? Number.POSITIVE_INFINITY);
  };
}

/** Shows its children to those whose calls of `to` the API would take. */
export function IfMay({ to, children }: { to: OperationId; children: ReactNode }): ReactNode {
  return useMay()(to) ? children : null;
}
