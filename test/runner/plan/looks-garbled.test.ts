// Encrypted data is told from what a site has: text of all kinds, and media, archives and fonts by their marks.
import { createCipheriv, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { looksGarbled } from "#runner/plan/looks-garbled.ts";

const random = (bytes = 4096): Buffer => randomBytes(bytes);
const marked = (...mark: (number | string)[]): Buffer =>
  Buffer.concat([
    ...mark.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from([part]))),
    random(),
  ]);

test("what is encrypted looks so, whatever it was", () => {
  for (let tries = 0; tries < 50; tries += 1) {
    const cipher = createCipheriv("aes-256-ctr", random(32), random(16));
    expect(looksGarbled(cipher.update(Buffer.alloc(4096, "<?php echo 'x';\n")))).toBe(true);
  }
});

test.each<[string, Buffer]>([
  [
    "PHP",
    Buffer.alloc(4096, "<?php\nfunction shop_total( $order ) { return array_sum( $order['items'] ); }\n"),
  ],
  ["base64", Buffer.from(random().toString("base64"))],
  ["UTF-8", Buffer.from("Übergrößen – 日本語のテキスト ".repeat(200))],
  ["zeros", Buffer.alloc(4096)],
  ["gzip", gzipSync(random())],
  ["JPEG", marked(0xff, 0xd8, 0xff)],
  ["MP4", marked(0, 0, 0, 32, "ftypisom")],
  ["WOFF2", marked("wOF2")],
  ["too little to tell", random(1000)],
])("%s does not", (_what, bytes) => {
  expect(looksGarbled(bytes)).toBe(false);
});
