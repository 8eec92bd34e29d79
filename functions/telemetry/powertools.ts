// Powertools' log, one per process.
import { Logger } from "@aws-lambda-powertools/logger";

export const SERVICE = "backupd-master";

export const logger: Logger = new Logger({ serviceName: SERVICE });
