// Every error code of the product with its retry class and remedy: the one table that the API's problem
// documents, the runner's failure reports and docs/ERRORS.md come from. Codes are stable: never rename one.

/** `now`: the same call may succeed at once; `later`: after a while; `never`: somebody has to change something. */
export type RetryClass = "now" | "later" | "never";

export interface ErrorKind {
  /** HTTP status when the Master answers with it; 500 for those that only the runner reports. */
  readonly status: number;
  readonly retry: RetryClass;
  readonly title: string;
  readonly hint: string;
}

const api = (status: number, retry: RetryClass, title: string, hint: string): ErrorKind => ({
  status,
  retry,
  title,
  hint,
});
const node = (retry: RetryClass, title: string, hint: string): ErrorKind => api(500, retry, title, hint);

const API_KINDS = {
  invalid_request: api(400, "never", "The request is not valid", "Correct the fields listed in `issues`."),
  malformed_json: api(400, "never", "The body is not valid JSON", "Send a JSON object as application/json."),
  unauthenticated: api(
    401,
    "never",
    "No valid identity came with the request",
    "Send `Authorization: Bearer <API token>`; make one with POST /api/v1/api-tokens.",
  ),
  token_invalid: api(
    401,
    "never",
    "The token is not valid",
    "Check that the whole token was copied and that it was issued by this Master.",
  ),
  token_expired: api(
    401,
    "now",
    "The token is no longer valid",
    "Make a new token. If a node reports this, check its clock: node tokens live for a minute.",
  ),
  token_revoked: api(401, "never", "The token was revoked", "Ask an admin for a new token."),
  no_role: api(
    403,
    "never",
    "This account has no role here",
    "Ask whoever manages accounts at your identity provider to put it into one of the groups, then sign in again.",
  ),
  issuer_unreachable: api(
    503,
    "later",
    "The identity provider does not say which keys it signs with",
    "Try again in a moment. If it stays: is oidcIssuer exactly the issuer's name? The authorizer's log says what happened. API tokens go on working.",
  ),
  node_disabled: api(
    403,
    "later",
    "This node is disabled",
    "Enable it with PATCH /api/v1/nodes/{id}, or enrol it again.",
  ),
  role_too_low: api(
    403,
    "never",
    "The token's role does not allow this",
    "Use a token with the role named in the error.",
  ),
  fleet_owner_only: api(
    403,
    "never",
    "Only operators of the whole fleet may do this",
    "Ask whoever runs this Master: the token is bound to a tenant.",
  ),
  not_your_site: api(
    403,
    "never",
    "The site belongs to another node",
    "Check the site's node_id; a node may only touch its own sites.",
  ),
  enrollment_token_invalid: api(
    401,
    "never",
    "The enrolment token is unknown, used, revoked or too old",
    "Make a new one with POST /api/v1/enrollment-tokens; each works once.",
  ),
  not_found: api(
    404,
    "never",
    "There is no such thing",
    "Check the id; list the collection to see what exists.",
  ),
  method_not_allowed: api(405, "never", "This path does not take that method", "See /api/v1/openapi.json."),
  conflict: api(
    409,
    "never",
    "That is in the way of something that exists",
    "Read the detail; change or delete it first.",
  ),
  backup_in_progress: api(
    409,
    "later",
    "Another job of this site is queued or running",
    "Wait for it, or end it with POST /api/v1/jobs/{id}/cancel; GET /api/v1/sites/{id}/backup/status names it.",
  ),
  nothing_to_stop: api(
    409,
    "never",
    "There is nothing queued or running to stop",
    "Nothing needs to be done.",
  ),
  site_paused: api(
    409,
    "never",
    "The site is paused",
    'Resume it with PATCH /api/v1/sites/{id} {"state":"active"}.',
  ),
  lease_lost: api(
    409,
    "never",
    "Another runner holds this job, or it has ended",
    "Nothing needs to be done: the holder of the lease reports. If it repeats, look for a second backupd with the same identity.",
  ),
  lease_held: api(
    409,
    "later",
    "Another runner is working on this job",
    "Nothing needs to be done: when its lease ends without a result, the job can be claimed again.",
  ),
  job_ended: api(409, "never", "The job has already ended", "Nothing needs to be done; drop the message."),
  object_missing: api(
    409,
    "later",
    "The reported archive is not in the bucket with that size",
    "Check the bucket and the node's clock and network; the runner tries again.",
  ),
  archive_unavailable: api(
    409,
    "never",
    "The archive cannot be read from the bucket",
    "Look at the object's versions in the bucket: an older one may be the archive. Otherwise use another backup.",
  ),
  backup_held: api(
    409,
    "never",
    "The backup is on hold",
    'Lift the hold first: PUT /api/v1/backups/{id}/hold {"held":false}.',
  ),
  idempotency_in_flight: api(
    409,
    "later",
    "The first call with this Idempotency-Key is still at work",
    "Send the same request with the same key again after the time in Retry-After.",
  ),
  idempotency_mismatch: api(
    422,
    "never",
    "This Idempotency-Key was used for another request",
    "Make a new random key for each new request, and use it again only to repeat that very request.",
  ),
  provider_in_use: api(
    409,
    "never",
    "Sites or backups still use the storage provider",
    "Give the sites in the detail another storage, and keep the provider until its last backup is deleted.",
  ),
  storage_identity_missing: api(
    409,
    "never",
    "The Master has no key for the secrets of storage providers",
    "Run `npm run deploy` again: it makes the parameter if it is not there.",
  ),
  storage_secret_unreadable: api(
    409,
    "never",
    "A storage provider's secret cannot be opened",
    "Was the Master's storage identity (SSM) replaced? Give the provider its secret anew: PATCH /api/v1/storage/providers/{id}.",
  ),
  file_too_large: api(
    422,
    "never",
    "The file is too large to be downloaded by itself",
    "Restore it to a directory of the node: `backupd restore BACKUP --path FILE --to DIR`, or POST /api/v1/backups/{id}/restore with `paths` and `to`.",
  ),
  payload_too_large: api(413, "never", "The body is too large", "Keep it under 256 KiB."),
  unsupported_media_type: api(415, "never", "The body is not JSON", "Send Content-Type: application/json."),
  rate_limited: api(429, "later", "Too many requests", "Wait for the time in Retry-After."),
  internal: api(
    500,
    "later",
    "The Master failed",
    "Try again; if it stays, look the request_id up in the Master's log.",
  ),
} as const;

const NODE_KINDS = {
  master_unreachable: node(
    "later",
    "The Master does not answer",
    "Check the node's network, DNS and proxy, and `curl <master>/health`. Reports wait in the outbox.",
  ),
  master_refused: node(
    "never",
    "The Master refused the call",
    "Read the detail; `backupd status` shows the identity in use.",
  ),
  not_enrolled: node(
    "never",
    "This node is not enrolled",
    "Run `backupd enroll --master URL --token TOKEN`.",
  ),
  state_dir_unusable: node(
    "never",
    "The state directory cannot be used",
    "Give backupd a directory that only root can read and that has free space (--state-dir).",
  ),
  already_running: node(
    "never",
    "Another backupd uses this state directory",
    "Stop it, or use another --state-dir.",
  ),
  site_path_missing: node(
    "later",
    "The site's directory is not there",
    "Check the site's path with GET /api/v1/sites/{id} and that its disk is mounted.",
  ),
  site_unreadable: node(
    "later",
    "The site's directory cannot be read",
    "Run backupd as root, or give its user read access to the path in the detail.",
  ),
  wp_config_missing: node(
    "never",
    "No wp-config.php was found",
    "Point the site's path at the directory of wp-config.php, or at its child (WordPress allows one level up).",
  ),
  wp_config_unreadable: node(
    "never",
    "wp-config.php does not say how to reach the database",
    "Put the constant named in the detail into wp-config.php or .env as a plain value, or into <state-dir>/sites/<site_id>.env.",
  ),
  wp_content_missing: node(
    "later",
    "The wp-content directory is not there",
    "Check WP_CONTENT_DIR in wp-config.php and that its disk is mounted.",
  ),
  db_unreachable: node(
    "later",
    "The database server does not answer",
    "Check that MariaDB/MySQL runs and that DB_HOST in wp-config.php is right.",
  ),
  db_access_denied: node(
    "never",
    "The database refused the login",
    "Check DB_USER and DB_PASSWORD in wp-config.php; try them with the mysql client.",
  ),
  db_missing: node("never", "The database is not there", "Check DB_NAME in wp-config.php."),
  db_privilege_missing: node(
    "never",
    "The database user may not read everything a dump needs",
    "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON the database to the user named in wp-config.php.",
  ),
  dump_failed: node(
    "later",
    "The database dump did not finish",
    "Read the detail (the dump program's last words); check the server's log and free space.",
  ),
  dump_unusable: node(
    "never",
    "The database dump in the backup cannot be restored",
    "Restore another backup of the site, or only the files: --only files.",
  ),
  import_failed: node(
    "later",
    "The database refused the dump",
    "Read the detail (the client's last words); check the server's log, its free space and the user's rights.",
  ),
  restore_failed: node(
    "later",
    "The restore could not be carried out",
    "Read the detail; the site is as it was before. Remove the cause and start the restore again.",
  ),
  restore_not_reverted: node(
    "later",
    "What the restore had changed could not be put back",
    "Remove the cause in the detail, then run `backupd restore --undo --site SITE`: it takes up where this ended.",
  ),
  nothing_to_undo: node(
    "never",
    "There is no restore of this site to undo",
    "What a restore replaces is kept for 7 days, or until the next restore of the site.",
  ),
  dump_program_missing: node(
    "never",
    "Neither mariadb-dump nor mysqldump is installed",
    "Install the database client, e.g. `apt-get install mariadb-client`.",
  ),
  proof_needs_mariadbd: node(
    "never",
    "A proof needs MariaDB's server program on the node",
    "Install it (apt install mariadb-server; it need not run: systemctl disable --now mariadb), or verify without --deep.",
  ),
  proof_server_failed: node(
    "later",
    "The throw-away database server of a proof did not run",
    "Read the detail (the server's last words); check the node's memory and the free space of the state directory.",
  ),
  proof_other_server: node(
    "never",
    "The dump is of another kind of database server than the node's MariaDB, which does not take it",
    "This says nothing about the backup. Download it to a machine with a MariaDB of the dump's release or newer: backupd verify FILE --deep.",
  ),
  proof_failed: node(
    "never",
    "The backup does not restore to what was backed up",
    "Read the findings. Keep older backups of the site, make a new one with `run-once --full`, and prove that one.",
  ),
  disk_full: node(
    "later",
    "The node's disk is full",
    "Free some space in the state directory's file system.",
  ),
  archive_read_failed: node(
    "later",
    "A file of the site could not be read",
    "Check the path in the detail and the disk.",
  ),
  archive_corrupt: api(
    422,
    "never",
    "An archive is damaged or not one of ours",
    "Restore from another backup of the site; a backup with --full does not depend on the damaged one. If a verify reports this, look for who else can write to the bucket.",
  ),
  archive_missing: node(
    "never",
    "The archive is not in the storage any more",
    "Choose another backup: `backupd list`. If nobody deleted this one, look for who else can write to the bucket.",
  ),
  archive_path_unknown: node(
    "never",
    "The archive has no such file or directory",
    "`backupd files BACKUP [PREFIX]` shows what it has; names begin with wp-content/.",
  ),
  restore_target_unusable: node(
    "never",
    "Nothing can be extracted to that directory",
    "Name a new or an empty directory whose parent exists.",
  ),
  restore_write_failed: node(
    "later",
    "A file could not be restored",
    "Read the detail; check the disk, its quota and the rights of backupd's user.",
  ),
  storage_denied: api(
    502,
    "later",
    "The storage refused the credentials",
    "Check the storage provider's keys, the bucket policy and the node's clock.",
  ),
  storage_unreachable: api(
    502,
    "later",
    "The storage does not answer",
    "Check the node's network and the storage provider's status.",
  ),
  storage_failed: api(
    502,
    "later",
    "The storage failed",
    "Read the detail; check the storage provider's status.",
  ),
  queue_unreachable: node("later", "The node's queue does not answer", "Check the node's network and clock."),
  credentials_undecryptable: node(
    "never",
    "The sealed credentials cannot be opened with this node's key",
    "Enrol the node again: its identity file does not belong to the Master's record.",
  ),
  over_quota: node(
    "never",
    "The backup would go over the quota",
    "Raise the quota (PUT /api/v1/sites/{id}/quota or /nodes/{id}/quota) or delete old backups.",
  ),
  cancelled: node("never", "The job was stopped", "Start it again when you want it."),
  interrupted: node(
    "later",
    "The runner was stopped in the middle of the job",
    "It starts again by itself with the node.",
  ),
  expired: node(
    "never",
    "The job waited too long to be of use",
    "Check that backupd runs on the node; the next one comes by its schedule.",
  ),
  runner_lost: node(
    "later",
    "The runner went silent in the middle of the job",
    "Check the node: is it up, is backupd running?",
  ),
  job_type_unknown: node(
    "never",
    "This backupd cannot do that kind of job",
    "Bring backupd on the node to the Master's version, then start the job again.",
  ),
  unexpected: node(
    "later",
    "backupd met an error it does not know",
    "Please report it with the log lines of this job_id.",
  ),
} as const;

export const ERROR_KINDS = { ...API_KINDS, ...NODE_KINDS } as const;

export type ErrorCode = keyof typeof ERROR_KINDS;

export const ERROR_CODES: readonly ErrorCode[] = Object.keys(ERROR_KINDS) as ErrorCode[];
