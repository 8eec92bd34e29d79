// The pages by address, for whoever is signed in.
import { useQueryClient } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useEffect } from "react";
import { Route, Switch, useLocation } from "wouter";
import { useCall } from "./api/hooks.ts";
import { MeProvider } from "./api/role.tsx";
import { useSession } from "./api/session.ts";
import { FleetPage } from "./pages/fleet/fleet-page.tsx";
import { NoRolePage } from "./pages/no-role-page.tsx";
import { Shell } from "./pages/shell.tsx";
import { SignInPage } from "./pages/sign-in-page.tsx";
import { ErrorBoundary } from "./ui/error-boundary.tsx";
import { FaultPage } from "./ui/fault-view.tsx";
import { Skeleton } from "./ui/panel.tsx";

const SitePage = lazy(async () => ({ default: (await import("./pages/site/site-page.tsx")).SitePage }));
const SiteSettingsPage = lazy(async () => ({
  default: (await import("./pages/site/site-settings-page.tsx")).SiteSettingsPage,
}));
const BackupPage = lazy(async () => ({
  default: (await import("./pages/backup/backup-page.tsx")).BackupPage,
}));
const NodesPage = lazy(async () => ({ default: (await import("./pages/nodes/nodes-page.tsx")).NodesPage }));
const NodePage = lazy(async () => ({ default: (await import("./pages/nodes/node-page.tsx")).NodePage }));
const ActivityPage = lazy(async () => ({
  default: (await import("./pages/activity-page.tsx")).ActivityPage,
}));
const SettingsPage = lazy(async () => ({
  default: (await import("./pages/settings/settings-page.tsx")).SettingsPage,
}));

export function App(): ReactNode {
  const session = useSession();
  const cache = useQueryClient();
  useEffect(() => {
    // What one person was shown must not greet the next one.
    if (session === undefined) cache.clear();
  }, [session, cache]);
  return session === undefined ? <SignInPage /> : <SignedIn key={session.id} />;
}

function SignedIn(): ReactNode {
  const me = useCall("getMe", {}, { everyMs: 5 * 60_000 });
  const [path] = useLocation();
  if (me.error?.problem.code === "no_role") return <NoRolePage fault={me.error} />;
  if (me.data === undefined) {
    return me.error === null || me.error.kind === "session" ? (
      <main className="page">
        <Skeleton rows={6} />
      </main>
    ) : (
      <main className="page">
        <FaultPage fault={me.error} onRetry={me.refetch} />
      </main>
    );
  }
  return (
    <MeProvider me={me.data}>
      <Shell>
        <ErrorBoundary resetKey={path}>
          <Suspense fallback={<Skeleton rows={6} />}>
            <Switch>
              <Route path="/">
                <FleetPage />
              </Route>
              <Route path="/sites/:id">{({ id }) => <SitePage key={id} id={id} />}</Route>
              <Route path="/sites/:id/settings">{({ id }) => <SiteSettingsPage key={id} id={id} />}</Route>
              <Route path="/backups/:id">{({ id }) => <BackupPage key={id} id={id} />}</Route>
              <Route path="/nodes">
                <NodesPage />
              </Route>
              <Route path="/nodes/:id">{({ id }) => <NodePage key={id} id={id} />}</Route>
              <Route path="/activity">
                <ActivityPage />
              </Route>
              <Route path="/settings">
                <SettingsPage />
              </Route>
              <Route>
                <NotFound />
              </Route>
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </Shell>
    </MeProvider>
  );
}

function NotFound(): ReactNode {
  return (
    <div className="blank">
      <h1>There is no such page</h1>
      <p>The address may be old or mistyped. The fleet, the nodes and the activity are linked above.</p>
    </div>
  );
}
