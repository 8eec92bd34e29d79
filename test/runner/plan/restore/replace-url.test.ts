// A site's address replaced in what databases hold: in every spelling, never in a longer name, and with PHP's lengths
// right afterwards.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replaceInValue } from "#runner/plan/restore/replace-serialized.ts";
import { normalUrl, urlReplacer } from "#runner/plan/restore/url-pattern.ts";

const replacer = urlReplacer({ from: "http://old.example/blog", to: "https://new.example:8443/a/b" });

describe("an address", () => {
  it.each([
    ["http://old.example/blog", "https://new.example:8443/a/b"],
    ['<a href="https://old.example/blog/?p=1">', '<a href="https://new.example:8443/a/b/?p=1">'],
    ["see http://old.example/blog.", "see https://new.example:8443/a/b."],
    ["src='//old.example/blog/x.js'", "src='//new.example:8443/a/b/x.js'"],
    [String.raw`"http:\/\/old.example\/blog\/x"`, String.raw`"https:\/\/new.example:8443\/a\/b\/x"`],
    [String.raw`http:\\\/\\\/old.example\\\/blog`, String.raw`https:\\\/\\\/new.example:8443\\\/a\\\/b`],
    ["u=http%3A%2F%2Fold.example%2Fblog%2Fx", "u=https%3A%2F%2Fnew.example%3A8443%2Fa%2Fb%2Fx"],
  ])("is replaced in %s", (before, after) => {
    expect(replacer.replace(before)).toEqual({ text: after, count: 1 });
  });

  it.each([
    "http://old.example/blogger",
    "http://old.example/blog-2",
    "http://old.example:8080/blog",
    "http://very.old.example/blog",
    "http://old.example.org/blog",
    "me@old.example/blog",
    "ftp://old.example/blog",
    "http://cdn/http//old.example/blog",
  ])("is not seen in %s", (text) => {
    expect(replacer.replace(text)).toEqual({ text, count: 0 });
  });

  it("is told by its port", () => {
    const withPort = urlReplacer({ from: "http://127.0.0.1:8080", to: "http://127.0.0.1:9090" });
    expect(withPort.replace("http://127.0.0.1:8080/x http://127.0.0.1:80801 http://127.0.0.1/").text).toBe(
      "http://127.0.0.1:9090/x http://127.0.0.1:80801 http://127.0.0.1/",
    );
  });

  it("is normal without a slash at its end, and nothing but an address", () => {
    expect(normalUrl("HTTPS://New.Example/a/")).toBe("https://new.example/a");
    for (const wrong of ["new.example", "ftp://x", "http://a/?b", "http://u:p@h", "http://a b"]) {
      expect(() => normalUrl(wrong)).toThrow();
    }
  });
});

const [FROM, TO] = ["http://old.example", "https://ein-neuer-name.example"];
const change = urlReplacer({ from: FROM, to: TO });

type Value = null | boolean | number | string | { readonly [key: string]: Value };

/** As PHP's serialize() writes it, of bytes: what a stock implementation reads is what a system test asks PHP itself. */
function serialize(value: Value): string {
  if (value === null) return "N;";
  if (typeof value === "boolean") return `b:${value ? 1 : 0};`;
  if (typeof value === "number") return `i:${value};`;
  if (typeof value === "string") return `s:${value.length}:"${value}";`;
  const entries = Object.entries(value).map(([key, each]) => `s:${key.length}:"${key}";${serialize(each)}`);
  return `a:${entries.length}:{${entries.join("")}}`;
}

function replacedIn(value: Value): Value {
  if (typeof value === "string") return value.replaceAll(FROM, TO);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replacedIn(each)]));
}

const word = fc.string({
  unit: fc.constantFrom("a", '"', ";", "}", "\u00c3", "\n", "\0", `${FROM} `, ` ${FROM}/x `),
});
const { value: anyValue } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    word,
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.dictionary(word, tie("value"), { maxKeys: 4 }),
  ),
}));

describe("a serialized value", () => {
  it("is afterwards what serializing the replaced one gives", () => {
    fc.assert(
      fc.property(fc.dictionary(word, anyValue), (value) => {
        expect(replaceInValue(serialize(value), change).text).toBe(serialize(replacedIn(value)));
      }),
    );
  });

  it("has the values within its strings right, too", () => {
    const inner = { deep: FROM };
    const outer = { list: serialize({ inner: serialize(inner) }) };
    const expected = { list: serialize({ inner: serialize({ deep: TO }) }) };
    expect(replaceInValue(serialize(outer), change)).toEqual({ text: serialize(expected), count: 1 });
  });

  it("keeps keys, class names, references and what serializes by itself", () => {
    const text = `O:3:"Foo":3:{s:18:"${FROM}";R:1;s:4:"\0*\0p";C:1:"X":20:{i:${FROM}}s:1:"u";s:18:"${FROM}";}`;
    const changed = text.replace(/s:18:"[^"]*";}$/, `s:${TO.length}:"${TO}";}`);
    expect(replaceInValue(text, change)).toEqual({ text: changed, count: 1 });
  });

  it("is text where its lengths are wrong, and left alone where it is too deep to be true", () => {
    expect(replaceInValue(`a:1:{s:1:"u";s:99:"${FROM}";}`, change).text).toContain(TO);
    const deep = `${"a:1:{i:0;".repeat(5000)}s:18:"${FROM}";${"}".repeat(5000)}`;
    expect(replaceInValue(deep, change)).toEqual({ text: deep, count: 0 });
  });

  it("never takes long, whatever it is", () => {
    const endless = `s:18:"${FROM}";`.repeat(20_000);
    expect(replaceInValue(endless, change).count).toBe(20_000);
  });
});
