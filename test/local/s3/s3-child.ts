// The S3 server alone in a process, so that a test can kill it: prints its endpoint, then serves until a signal.
import { staticCredentials } from "#local/s3/credentials.ts";
import { startS3 } from "#local/s3/server.ts";

const server = await startS3({
  dataDir: process.argv[2] ?? "",
  port: 0,
  credentials: staticCredentials({ AKIALOCALTEST: { secretAccessKey: "local/secret+key" } }),
  now: () => new Date(),
});
process.stdout.write(`${server.endpoint}\n`);
process.once("SIGTERM", () => {
  server.close().catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
});
