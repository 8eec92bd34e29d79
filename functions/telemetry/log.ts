// The Master's log as its code sees it.

export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

/** The same log with these fields on every line. */
export function withFields(log: Log, bound: Fields): Log {
  return {
    info: (message, fields = {}) => log.info(message, { ...bound, ...fields }),
    warn: (message, fields = {}) => log.warn(message, { ...bound, ...fields }),
    error: (message, fields = {}) => log.error(message, { ...bound, ...fields }),
  };
}
