// What routes-plugin.ts makes at build time.
declare module "virtual:api-routes" {
  import type { Access, OperationId } from "#shared/operations.ts";

  export const ROUTES: Readonly<
    Record<
      OperationId,
      { readonly method: string; readonly path: string; readonly access: Access; readonly fleetWide?: true }
    >
  >;
}
