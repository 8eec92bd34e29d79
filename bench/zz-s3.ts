import { startS3 } from "#local/s3/server.ts"; import { mkdtempSync } from "node:fs";
const s=await startS3({ dataDir: mkdtempSync("/tmp/eng/s3-"), port: 19555, now: () => new Date(), credentials: { find: () => ({ secretAccessKey: "sk" }) } }); console.log(s.endpoint);
process.on("SIGTERM",()=>void s.close());
