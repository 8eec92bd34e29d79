// The calls of who may call, and of who did; part of the table in operations.ts.
import { Activity } from "./contracts/activity.ts";
import { IdPath, PageQuery, page } from "./contracts/common.ts";
import { ApiToken, CreateApiToken, CreatedApiToken } from "./contracts/identity.ts";
import type { Operation } from "./operations.ts";

export const ACCESS_OPERATIONS = {
  listActivity: {
    method: "GET",
    path: "/activity",
    access: "viewer",
    summary: "Who changed what, newest first",
    query: PageQuery,
    status: 200,
    answer: page(Activity),
  },
  createApiToken: {
    method: "POST",
    path: "/api-tokens",
    access: "admin",
    summary: "Make a token for a person or a program",
    body: CreateApiToken,
    status: 201,
    answer: CreatedApiToken,
    activity: "api_token.created",
  },
  listApiTokens: {
    method: "GET",
    path: "/api-tokens",
    access: "admin",
    summary: "API tokens",
    query: PageQuery,
    status: 200,
    answer: page(ApiToken),
  },
  deleteApiToken: {
    method: "DELETE",
    path: "/api-tokens/{id}",
    access: "admin",
    summary: "Revoke a token",
    params: IdPath,
    status: 204,
    activity: "api_token.revoked",
  },
} as const satisfies Record<string, Operation>;
