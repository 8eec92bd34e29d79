// The calls about signing in; part of the table in operations.ts.
import { RoleSources, SignIn } from "./contracts/sign-in.ts";
import type { Operation } from "./operations.ts";

export const SIGN_IN_OPERATIONS = {
  getSignIn: {
    method: "GET",
    path: "/sign-in",
    access: "public",
    summary: "Where people sign in",
    status: 200,
    answer: SignIn,
  },
  getRoles: {
    method: "GET",
    path: "/roles",
    access: "viewer",
    summary: "How people get their roles",
    status: 200,
    answer: RoleSources,
    fleetWide: true,
  },
} as const satisfies Record<string, Operation>;
