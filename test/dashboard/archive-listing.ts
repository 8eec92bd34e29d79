// The top of an archive as the API lists it: seeded backups are records without archives, so tests and screenshots that
// want a table of files answer that one call themselves.
import type { Page } from "playwright-core";

const MODIFIED = "2026-11-20T14:03:00.000Z";
const TOP_OF_AN_ARCHIVE = {
  items: [
    { name: "database.sql", type: "file", size_bytes: 1_823_400_112, files: 1 },
    { name: "wp-config.php", type: "file", size_bytes: 3_412, files: 1 },
    { name: "wp-content", type: "directory", size_bytes: 23_682_110_450, files: 101_371 },
  ].map((entry) => ({ ...entry, path: entry.name, modified_at: MODIFIED })),
  next_cursor: null,
};

export async function answerFiles(page: Page): Promise<void> {
  await page.route("**/api/v1/backups/*/files?*", (route) => route.fulfill({ json: TOP_OF_AN_ARCHIVE }));
}
