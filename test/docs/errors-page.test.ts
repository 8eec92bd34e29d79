import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { errorsPage } from "../../scripts/docs-errors.ts";

it("docs/ERRORS.md is what `npm run docs` makes of the error table", () => {
  expect(readFileSync(new URL("../../docs/ERRORS.md", import.meta.url), "utf8")).toBe(errorsPage());
});
