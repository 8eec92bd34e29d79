// Who a call is from survives the way through API Gateway, and what is not understood never gets more rights by it.
import { expect, test } from "vitest";
import { checkAccess, type Principal } from "#functions/core/principal.ts";
import { fromContext, toContext } from "#functions/http/authorizer-context.ts";

const OWNER: Principal = { kind: "operator", id: "1", label: "ada", role: "admin" };
const TENANT: Principal = { ...OWNER, role: "operator", tenant: "acme-2" };
const NODE: Principal = { kind: "node", id: "2", label: "web1" };

test.each<[string, Principal]>([
  ["the fleet's owner", OWNER],
  ["a tenant's operator", TENANT],
  ["a node", NODE],
])("%s is the same after the authorizer's context", (_who, principal) => {
  expect(fromContext(toContext(principal))).toEqual(principal);
});

test.each(["", "Acme", "a b", "-a", "a--b", "a#b", "x".repeat(41), 7, null])(
  "a context with the tenant %j is nobody's, and not the owner's",
  (tenant) => {
    expect(fromContext({ ...toContext(TENANT), tenant })).toBeUndefined();
  },
);

test("what concerns the whole fleet is refused to a tenant, after the role", () => {
  const refusal = (fleetWide: boolean, principal: Principal): string | undefined => {
    try {
      checkAccess({ access: "operator", ...(fleetWide ? { fleetWide } : {}) }, principal);
      return undefined;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  expect(refusal(true, OWNER)).toBeUndefined();
  expect(refusal(false, TENANT)).toBeUndefined();
  expect(refusal(true, TENANT)).toBe("fleet_owner_only");
  expect(refusal(true, { ...TENANT, role: "viewer" })).toBe("role_too_low");
  expect(refusal(true, NODE)).toBe("role_too_low");
});
