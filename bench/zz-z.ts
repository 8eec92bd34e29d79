import { compress } from "@mongodb-js/zstd"; import { randomFillSync } from "node:crypto";
const src=[0,1].map(()=>randomFillSync(Buffer.allocUnsafeSlow(4<<20))); const part=Buffer.allocUnsafeSlow(8<<20).fill(1);
const mode=process.argv[2]; let peak=0,base=process.memoryUsage.rss();
for(let i=0;i<150;i++){const outs=await Promise.all(src.map(s=>compress(s,3)));for(const o of outs){part.set(o.subarray(0,4<<20),0);if(mode==="transfer"){o.buffer.transfer(0)}; if(mode==="detached"&&i==0){const ab=o.buffer;ab.transfer(0);console.log(ab.detached,o.length)}}peak=Math.max(peak,process.memoryUsage.rss())}
console.log(mode,Math.round(base/1e6),Math.round(peak/1e6));
