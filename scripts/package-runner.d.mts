/** Replaces `dir` by the installable form of backupd. */
export function packageRunner(dir: string): Promise<void>;
