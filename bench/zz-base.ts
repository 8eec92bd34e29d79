const r=()=>Math.round(process.memoryUsage.rss()/1e6); const a=r();
await import("@aws-sdk/client-s3"); const b=r();
await import("#runner/io/multipart.ts"); await import("#runner/io/pack-site.ts"); const c=r();
const { Worker } = await import("node:worker_threads"); const w=new Worker("setInterval(()=>{},1000)",{eval:true}); await new Promise(r=>setTimeout(r,500)); const d=r(); await w.terminate();
console.log({start:a,sdk:b,ours:c,worker:d});
