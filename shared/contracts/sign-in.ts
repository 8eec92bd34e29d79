// How people get in: what the dashboard has to know before anybody is signed in, and how roles are given.
import * as z from "zod";
import { Role } from "./identity.ts";

export const SignIn = z.object({
  /** null where there are API tokens only. */
  oidc: z
    .object({
      issuer: z.string(),
      client_id: z.string(),
      scope: z.string(),
      /** Asked for with the sign-in, where access tokens have to name this API. */
      audience: z.string().nullable(),
      token: z.enum(["id", "access"]).describe("Which of the issuer's tokens this API takes"),
    })
    .nullable(),
  link: z.boolean().describe("Whether the terminal that runs this Master prints one-time links (npm start)"),
});
export type SignIn = z.infer<typeof SignIn>;

export const RoleSources = z.object({
  issuer: z.string().nullable(),
  claim: z.string().nullable().describe("Where the issuer's tokens have the groups"),
  roles: z.array(z.object({ role: Role, group: z.string().nullable() })),
  link: z.boolean(),
});
export type RoleSources = z.infer<typeof RoleSources>;
