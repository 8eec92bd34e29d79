// Powertools' log and tracer, one of each per process. Neither answers nor outgoing requests are put into traces: an answer
// may hold a new token, and a webhook's address is a secret.
import { Logger } from "@aws-lambda-powertools/logger";
import { Tracer } from "@aws-lambda-powertools/tracer";

export const SERVICE = "backupd-master";

export const logger: Logger = new Logger({ serviceName: SERVICE });
/** Switched off by itself outside of Lambda. */
export const tracer: Tracer = new Tracer({ serviceName: SERVICE, captureHTTPsRequests: false });
