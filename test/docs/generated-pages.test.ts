import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { apiPage } from "../../scripts/docs-api.ts";
import { costsPage } from "../../scripts/docs-costs.ts";
import { errorsPage } from "../../scripts/docs-errors.ts";

it.each([
  ["ERRORS.md", errorsPage],
  ["API.md", apiPage],
  ["COSTS.md", costsPage],
])("docs/%s is what `npm run docs` makes", (name, page) => {
  expect(readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8")).toBe(page());
});
