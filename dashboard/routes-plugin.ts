// Gives the dashboard the API's calls as plain data when it is built: method, path and who may, from the very table
// that the Master serves. So the schemas, and zod with them, stay out of the bundle (docs/adr/0013).
import type { Plugin } from "vite";
import { OPERATIONS, type Operation } from "../shared/operations.ts";

const NAME = "virtual:api-routes";

export function apiRoutes(): Plugin {
  return {
    name: "api-routes",
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load: (id) => (id === `\0${NAME}` ? `export const ROUTES = ${JSON.stringify(routes())};` : undefined),
  };
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly access: string;
  readonly fleetWide?: true;
}

function routes(): Record<string, Route> {
  const entries = Object.entries(OPERATIONS) as [string, Operation][];
  const wanted = entries.filter(([, { access }]) => access !== "node");
  return Object.fromEntries(
    wanted.map(([id, { method, path, access, fleetWide }]) => [
      id,
      { method, path, access, ...(fleetWide === true ? { fleetWide } : {}) },
    ]),
  );
}
