import { startS3 } from "./server.ts";
import { staticCredentials } from "./credentials.ts";
const s = await startS3({ dataDir: process.argv[2] ?? "", port: Number(process.argv[3] ?? 0), credentials: staticCredentials({ AK: { secretAccessKey: "SK" } }), now: () => new Date(), log: process.env.LOG ? (e) => console.error(JSON.stringify(e, (k, v) => v instanceof Error ? v.stack : v)) : () => {} });
console.log(s.endpoint);
process.on("SIGTERM", () => { void s.close().then(() => process.exit()); });
