// The part of IAM policies that our session policies use, evaluated as AWS does: an explicit Deny wins, and what
// nothing allows is denied. Whatever is not understood is refused when a policy is parsed, never ignored. Pure.
import { z } from "zod";

const oneOrMany = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

// Strict: a Condition, NotAction or Principal that we skipped would make a policy wider than it reads.
const statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(["Allow", "Deny"]),
  Action: oneOrMany,
  Resource: oneOrMany,
});

const policyDocument = z.strictObject({
  Version: z.literal("2012-10-17"),
  Id: z.string().optional(),
  Statement: z.union([statement, z.array(statement).min(1)]),
});

export type PolicyDocument = z.infer<typeof policyDocument>;

/** Throws an Error that says what in the document is not a policy we can enforce. */
export function parsePolicy(text: string): PolicyDocument {
  const parsed = policyDocument.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(z.prettifyError(parsed.error), { cause: parsed.error });
}

/** Whether `policy` allows `action` ("s3:GetObject") on `resourceArn`. */
export function evaluatePolicy(policy: PolicyDocument, action: string, resourceArn: string): boolean {
  const statements = Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement];
  const applying = statements.filter(
    (candidate) =>
      asArray(candidate.Action).some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
      asArray(candidate.Resource).some((pattern) => matches(pattern, resourceArn)),
  );
  return applying.length > 0 && applying.every((candidate) => candidate.Effect === "Allow");
}

function asArray(value: string | string[]): string[] {
  return typeof value === "string" ? [value] : value;
}

/** `*` is any run of characters and `?` any one; linear in practice, as a pattern comes from outside. */
function matches(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let retryFrom = 0;
  let position = 0;
  while (position < text.length) {
    if (pattern[at] === "*") {
      star = at++;
      retryFrom = position;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === text[position])) {
      at++;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++retryFrom;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
