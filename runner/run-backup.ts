// The story of one backup, from a claimed job to the report of its success: what happens, in which order, and what
// has to be true before the next step. Every error ends it as a BackupError; nothing stays behind in S3 then.
import { BackupError } from "#shared/errors.ts";
import type { BackupReport, Warning } from "#shared/contracts/backups.ts";
import { objectKey } from "#shared/object-key.ts";
import { formatBytes } from "#shared/units.ts";
import type { JobContext } from "./context.ts";
import { archiveFrames } from "./io/archive.ts";
import { freeBytes } from "./io/disk.ts";
import { dumpDatabase } from "./io/dump.ts";
import { uploadMultipart } from "./io/multipart.ts";
import { probeDatabase } from "./io/mysql-client.ts";
import { packSite } from "./io/pack-site.ts";
import { makeS3 } from "./io/s3-client.ts";
import { readSite } from "./io/site.ts";
import { type StageClock, startStageClock } from "./stage-clock.ts";
