// Session policies decide what a hacked node could do, so their evaluation is tested case by case.
import { describe, expect, it } from "vitest";
import { evaluatePolicy, parsePolicy } from "#local/sts/policy.ts";

const OWN = "arn:aws:s3:::archives/node-a/*";

function policy(...Statement: object[]): ReturnType<typeof parsePolicy> {
  return parsePolicy(JSON.stringify({ Version: "2012-10-17", Statement }));
}

describe("evaluatePolicy", () => {
  const own = policy({ Effect: "Allow", Action: ["s3:GetObject", "s3:Put*"], Resource: OWN });

  it.each([
    ["s3:GetObject", "arn:aws:s3:::archives/node-a/site/x", true],
    ["s3:getobject", "arn:aws:s3:::archives/node-a/x", true],
    ["s3:PutObject", "arn:aws:s3:::archives/node-a/", true],
    ["s3:GetObject", "arn:aws:s3:::archives/node-b/x", false],
    ["s3:GetObject", "arn:aws:s3:::archives/node-aa/x", false],
    ["s3:GetObject", "arn:aws:s3:::archives/NODE-A/x", false],
    ["s3:GetObject", "arn:aws:s3:::archives/node-a", false],
    ["s3:GetObjectAcl", "arn:aws:s3:::archives/node-a/x", false],
    ["s3:DeleteObject", "arn:aws:s3:::archives/node-a/x", false],
    ["s3:ListBucket", "arn:aws:s3:::archives", false],
  ])("%s on %s: %s", (action, resource, allowed) => {
    expect(evaluatePolicy(own, action, resource)).toBe(allowed);
  });

  it("lets a Deny win over any Allow, in whatever order", () => {
    const deny = { Effect: "Deny", Action: "s3:*", Resource: "arn:aws:s3:::archives/node-a/held/*" };
    const allow = { Effect: "Allow", Action: "*", Resource: "*" };
    for (const both of [policy(deny, allow), policy(allow, deny)]) {
      expect(evaluatePolicy(both, "s3:GetObject", "arn:aws:s3:::archives/node-a/held/x")).toBe(false);
      expect(evaluatePolicy(both, "s3:GetObject", "arn:aws:s3:::archives/node-a/x")).toBe(true);
    }
  });

  it("matches wildcards in the middle, and ? as one character", () => {
    const odd = policy({ Effect: "Allow", Action: "s3:?etObject", Resource: "arn:aws:s3:::*/x*y/?" });
    expect(evaluatePolicy(odd, "s3:GetObject", "arn:aws:s3:::b/x12x3y/1")).toBe(true);
    expect(evaluatePolicy(odd, "s3:GetObject", "arn:aws:s3:::b/x12/1")).toBe(false);
    expect(evaluatePolicy(odd, "s3:GetObject", "arn:aws:s3:::b/xy/12")).toBe(false);
  });

  it.each([
    ["a condition", { Effect: "Allow", Action: "*", Resource: "*", Condition: {} }],
    ["NotAction", { Effect: "Allow", NotAction: "s3:DeleteObject", Resource: "*" }],
    ["NotResource", { Effect: "Allow", Action: "*", NotResource: "x" }],
    ["another effect", { Effect: "allow", Action: "*", Resource: "*" }],
    ["no resource", { Effect: "Allow", Action: "*" }],
  ])("refuses a policy with %s", (_what, statement) => {
    expect(() => policy(statement)).toThrow();
  });
});
