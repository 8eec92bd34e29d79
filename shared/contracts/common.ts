// Field shapes that several contracts share. Bytes are integers, times are ISO 8601 in UTC, ids are UUIDs.
import * as z from "zod";
import { ERROR_CODES } from "../error-kinds.ts";

export const Id = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, "must be a UUID in lower case");
export const Timestamp = z.iso.datetime({ precision: 3 });
export const Bytes = z.int().min(0);
/** To the thousandth: DynamoDB keeps 38 digits and refuses fractions that a double can still say. */
export const Measure = z
  .number()
  .min(0)
  .max(1e15)
  .overwrite((value) => Math.round(value * 1000) / 1000);
/** Goes into file names and object keys, so it is a strict subset of what a host name may be. */
export const SiteName = z
  .string()
  .min(1)
  .max(63)
  .regex(
    /^[A-Za-z0-9](?:-*[A-Za-z0-9]|[._][A-Za-z0-9])*$/,
    "letters and digits, with - or a single . or _ between them (for instance shop.example.com)",
  );
/** Shown to people only: any text on one line. */
export const Label = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .regex(/^\P{Cc}*$/u, "must not have control characters");

/** Whose a site or a node is, where one fleet serves several; goes into keys of records, so it is short and plain. */
export const Tenant = z
  .string()
  .max(40)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, "small letters and digits, with single - between them");
export type Tenant = z.infer<typeof Tenant>;

export const ErrorReport = z.strictObject({
  code: z.string().max(64).describe("Stable; see docs/ERRORS.md"),
  message: z.string().max(2000),
  hint: z.string().max(1000).optional(),
});
export type ErrorReport = z.infer<typeof ErrorReport>;

/** Goes into every log as it is. API Gateway's request ids and Scheduler's execution ids are such. */
export const CorrelationId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:=+/-]{7,127}$/, "must be 8 to 128 letters, digits or ._:=+/-");

/** Random, because the kept answer is sealed with it; the same for the same request only. */
export const IdempotencyKey = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    "must be a random UUID (version 4) in lower case",
  );

/** RFC 9457, with our stable code and the operator's remedy. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(ERROR_CODES as [string, ...string[]]),
  detail: z.string().optional(),
  hint: z.string(),
  retry: z.enum(["now", "later", "never"]),
  request_id: z.string().optional(),
  retry_after_seconds: z.number().min(0).optional(),
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof Problem>;

export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(2000).optional(),
});
export type PageQuery = z.infer<typeof PageQuery>;

/** One site's, or everything. */
export const BySite = PageQuery.extend({ site_id: Id.optional() });

/** One page of a list. */
export const page = <T extends z.ZodType>(
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; next_cursor: z.ZodNullable<z.ZodString> }> =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });

export const IdPath = z.strictObject({ id: Id });
