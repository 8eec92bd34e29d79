// The contract that any S3 must keep for us to store archives on it: run against the local server here, and against
// others by `npm run test:s3` (remote-subject.ts).
import { describe } from "vitest";
import { authCases } from "./auth-cases.ts";
import { listingCases } from "./listing-cases.ts";
import { multipartCases } from "./multipart-cases.ts";
import { objectCases } from "./object-cases.ts";
import type { SubjectSource } from "./subject.ts";

export function s3Contract(name: string, subject: SubjectSource): void {
  describe(`${name} keeps the S3 contract:`, () => {
    objectCases(subject);
    multipartCases(subject);
    listingCases(subject);
    authCases(subject);
  });
}
