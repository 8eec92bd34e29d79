// How people get in, from the configuration alone: before they are in, and how their roles are given.
import { ROLES } from "#shared/contracts/identity.ts";
import { type ApiHandler, serve } from "./http/serve.ts";

export const handler: ApiHandler = serve(
  {},
  {
    async getSignIn(_request, { config: { oidc, signInLink } }) {
      if (oidc === undefined) return { oidc: null, link: signInLink };
      const { issuer, clientId, scope, audience } = oidc;
      return {
        oidc: {
          issuer,
          client_id: clientId,
          scope,
          audience: audience ?? null,
          token: audience === undefined ? ("id" as const) : ("access" as const),
        },
        link: signInLink,
      };
    },

    async getRoles(_request, { config: { oidc, signInLink } }) {
      return {
        issuer: oidc?.issuer ?? null,
        claim: oidc?.roleClaim ?? null,
        roles: ROLES.map((role) => ({ role, group: oidc?.groups[role] ?? null })),
        link: signInLink,
      };
    },
  },
);
