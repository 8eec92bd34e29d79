// IAM on loopback for the Master's own functions: each call of an SDK is held against the role of the function that
// makes it, so that a permission that is missing on AWS is missed here first.
import { AsyncLocalStorage } from "node:async_hooks";
import { type ResourceArns, statementsOf } from "#functions/core/function-roles.ts";
import { type AwsCall, watchCalls } from "#functions/stores/aws-client.ts";
import { evaluatePolicy, type PolicyDocument } from "#local/sts/policy.ts";
import { type Permission, type Place, permissionsOf } from "./call-permissions.ts";

export interface FunctionCall extends Permission {
  readonly functionName: string;
}

export interface RoleEnforcement extends Disposable {
  /** Runs `work` with the rights of that function. */
  runAs<T>(functionName: string, work: () => T): T;
}

export interface EnforcementOptions {
  readonly place: Place;
  readonly arns: ResourceArns;
  /** Told of every permission that a function needed, and of the call that needed it. */
  readonly onCall?: (needed: FunctionCall, call: AwsCall) => void;
}

/** One at a time per process. Code that runs as no function, such as a test's own store, is not held to any role. */
export function enforceRoles({ place, arns, onCall }: EnforcementOptions): RoleEnforcement {
  const running = new AsyncLocalStorage<string>();
  const policies = new Map<string, PolicyDocument>();
  const policyOf = (functionName: string): PolicyDocument => {
    const known = policies.get(functionName);
    if (known !== undefined) return known;
    const policy = policyFor(functionName, arns);
    policies.set(functionName, policy);
    return policy;
  };
  watchCalls((call: AwsCall) => {
    const functionName = running.getStore();
    if (functionName === undefined) return;
    for (const permission of permissionsOf(call, place)) {
      onCall?.({ functionName, ...permission }, call);
      if (evaluatePolicy(policyOf(functionName), permission.action, permission.resource)) continue;
      const { action, resource } = permission;
      throw Object.assign(
        new Error(
          `The role of ${functionName} does not allow ${action} on ${resource} (functions/core/grants.ts).`,
        ),
        { name: "AccessDeniedException" },
      );
    }
  });
  return {
    runAs: (functionName, work) => running.run(functionName, work),
    [Symbol.dispose]: () => watchCalls(undefined),
  };
}

function policyFor(functionName: string, arns: ResourceArns): PolicyDocument {
  const statements = statementsOf(functionName, arns);
  if (statements === undefined)
    throw new Error(`The function ${functionName} has no row in functions/core/grants.ts.`);
  return {
    Version: "2012-10-17",
    Statement: statements.map(({ Effect, Action, Resource }) => ({
      Effect,
      Action: [...Action],
      Resource: String(Resource),
    })),
  };
}
