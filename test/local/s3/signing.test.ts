// The canonical form of requests: AWS's published example, and encoding that loses nothing and has one form.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canonicalRequest,
  encodeUri,
  parseQuery,
  requestSignature,
  signingKey,
} from "#local/s3/canonical-request.ts";
import { parseTarget } from "#local/s3/target.ts";

const anyText = fc.string({ unit: "binary" });

describe("canonical URI encoding", () => {
  it("leaves only unreserved characters and is undone by decoding", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const encoded = encodeUri(text);
        expect(encoded).toMatch(/^(?:[A-Za-z0-9\-._~]|%[0-9A-F]{2})*$/);
        expect(decodeURIComponent(encoded)).toBe(text);
        expect(encodeUri(text, "slashes")).toBe(
          text
            .split("/")
            .map((part) => encodeUri(part))
            .join("/"),
        );
      }),
    );
  });

  it("finds the same key whether or not a client encoded what it need not", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 80 }), (key) => {
        const strict = parseTarget(`/bucket/${encodeUri(key, "slashes")}`);
        expect(strict.key).toBe(key);
        expect(parseTarget(`/bucket/${encodeUri(key)}`)).toEqual(strict);
        expect(parseTarget(`/bucket/${encodeURIComponent(key)}`)).toEqual(strict);
      }),
    );
  });

  it("reads back every query it would write", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: "binary", minLength: 1 }), anyText)), (pairs) => {
        const raw = pairs.map(([name, value]) => `${encodeUri(name)}=${encodeUri(value)}`).join("&");
        expect(parseQuery(raw)).toEqual(pairs);
      }),
    );
  });
});

describe("signature", () => {
  it("is that of the ranged GET in the documentation of S3", () => {
    const scope = { timestamp: "20130524T000000Z", date: "20130524", region: "us-east-1", service: "s3" };
    const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const headers = new Map([
      ["host", ["examplebucket.s3.amazonaws.com"]],
      ["range", ["bytes=0-9"]],
      ["x-amz-content-sha256", [emptyHash]],
      ["x-amz-date", [scope.timestamp]],
    ]);
    const parts = { method: "GET", path: "/test.txt", query: [], headers };
    const key = signingKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", scope);
    const canonical = canonicalRequest(parts, [...headers.keys()], emptyHash);
    expect(requestSignature(key, scope, canonical)).toBe(
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
  });
});
