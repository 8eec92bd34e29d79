// The two STS actions the stack needs. AssumeRole holds requests to the limits AWS has, so that what works here
// works there; roles themselves are not kept, so a session without a policy may do everything.
import { randomBytes } from "node:crypto";
import type { XmlElements } from "#local/s3/xml.ts";
import { parsePolicy } from "./policy.ts";
import type { Session, SessionStore } from "./session-store.ts";
import { StsError } from "./sts-error.ts";

const MAX_POLICY_CHARACTERS = 2048;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export interface AssumeRoleDeps {
  readonly sessions: SessionStore;
  readonly now: () => Date;
  /** How long a session really lasts, by what was asked for: tests make them end early. */
  readonly sessionSeconds?: ((asked: number) => number) | undefined;
}

/** The AssumeRoleResult element. Throws StsError. */
export function assumeRole(parameters: URLSearchParams, deps: AssumeRoleDeps): XmlElements {
  const roleArn = required(
    parameters,
    "RoleArn",
    /^arn:aws[a-z-]*:iam::(\d{12}):role\/(?:[\w+=,.@/-]*\/)?([\w+=,.@-]{1,64})$/,
  );
  const [, account = "", roleName = ""] = roleArn;
  const [sessionName] = required(parameters, "RoleSessionName", /^[\w+=,.@-]{2,64}$/);
  const [duration] = required(parameters, "DurationSeconds", /^\d{1,6}$/, "3600");
  const durationSeconds = Number(duration);
  if (durationSeconds < 900 || durationSeconds > 43_200) {
    throw new StsError("ValidationError", "DurationSeconds must be from 900 to 43200.");
  }
  const lifeSeconds = deps.sessionSeconds?.(durationSeconds) ?? durationSeconds;
  const now = deps.now();
  const assumedRoleId = `AROA${base32(17)}:${sessionName}`;
  const session: Session = {
    accessKeyId: `ASIA${base32(16)}`,
    secretAccessKey: randomBytes(30).toString("base64"),
    sessionToken: randomBytes(96).toString("base64"),
    expiresAt: new Date(Math.floor(now.getTime() / 1000 + lifeSeconds) * 1000),
    assumedRoleArn: `arn:aws:sts::${account}:assumed-role/${roleName}/${sessionName}`,
    assumedRoleId,
    policyText: readSessionPolicy(parameters),
  };
  deps.sessions.add(session, now);
  return {
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: session.expiresAt.toISOString(),
    },
    AssumedRoleUser: { AssumedRoleId: assumedRoleId, Arn: session.assumedRoleArn },
  };
}

function readSessionPolicy(parameters: URLSearchParams): string | undefined {
  const text = parameters.get("Policy");
  if (text === null) return undefined;
  if (text.length > MAX_POLICY_CHARACTERS) {
    throw new StsError("ValidationError", `Policy must have at most ${MAX_POLICY_CHARACTERS} characters.`);
  }
  try {
    parsePolicy(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : "not JSON";
    throw new StsError("MalformedPolicyDocument", `The policy is not one this STS can enforce: ${why}`);
  }
  return text;
}

function required(
  parameters: URLSearchParams,
  name: string,
  form: RegExp,
  fallback?: string,
): RegExpExecArray {
  const match = form.exec(parameters.get(name) ?? fallback ?? "");
  if (match === null)
    throw new StsError("ValidationError", `${name} is missing or not of the form ${form.source}.`);
  return match;
}

function base32(characters: number): string {
  return [...randomBytes(characters)].map((byte) => BASE32[byte & 31]).join("");
}
