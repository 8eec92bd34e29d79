// WordPress' DB_HOST is a small language of its own (wpdb::parse_db_host): a host, a port and a socket in one string.

export interface DbAddress {
  /** Absent: the socket, or the client library's default. */
  readonly host?: string;
  readonly port?: number;
  readonly socketPath?: string;
}

const PATTERN = /^(?:\[(?<bracketed>[0-9a-fA-F:.]+)\]|(?<plain>[^:/[\]]*))(?::(?<port>\d+))?$/;

/** The address in `text`, or undefined if WordPress could not read it either. */
export function parseDbHost(text: string): DbAddress | undefined {
  const trimmed = text.trim();
  // A socket's path begins at the first `:/`, so it may have colons of its own.
  const socketAt = trimmed.indexOf(":/");
  const socketPath = socketAt < 0 ? undefined : trimmed.slice(socketAt + 1);
  const address = socketAt < 0 ? trimmed : trimmed.slice(0, socketAt);
  // More than one colon without brackets can only be a bare IPv6 address.
  if (/^[0-9a-fA-F.]*:[0-9a-fA-F.:]*:[0-9a-fA-F.:]*$/.test(address))
    return withSocket({ host: address }, socketPath);
  const groups = PATTERN.exec(address)?.groups;
  if (groups === undefined) return undefined;
  const host = groups["bracketed"] ?? groups["plain"] ?? "";
  const port = groups["port"] === undefined ? undefined : Number(groups["port"]);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return withSocket(
    { ...(host === "" ? {} : { host }), ...(port === undefined ? {} : { port }) },
    socketPath,
  );
}

function withSocket(address: DbAddress, socketPath: string | undefined): DbAddress {
  return socketPath === undefined ? address : { ...address, socketPath };
}
