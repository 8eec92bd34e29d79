// Sockets that read into one buffer, again and again. By itself Node allocates for each 64 KiB that arrive; HTTP's parser
// copies the body out of them, and they lie around: V8 collected 35 times in a restore of a gigabyte, a quarter of its
// processor time (measured).
import type { OnReadOpts } from "node:net";
import type { Duplex } from "node:stream";

/** As much as a fast line has ready at once; four times as much is no faster. */
const BUFFER_BYTES = 262_144;

/**
 * For agents of http and https, whose sockets may share it: what arrives is handed on before anything else can.
 * (`onread` of socket.connect(), which an agent's options may have.)
 */
export function oneBuffer(): OnReadOpts {
  return {
    buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
    callback(this: Duplex, bytes: number, buffer: Uint8Array): boolean {
      const arrived = buffer.subarray(0, bytes);
      // Handed to a listener at once, whose parser copies what it keeps; else the stream keeps it.
      const isHandedOn =
        this.readableFlowing === true && this.readableLength === 0 && this.listenerCount("data") > 0;
      return this.push(isHandedOn ? arrived : Buffer.from(arrived));
    },
  };
}
