/** Plain bytes per frame: what one file costs to read back, against what the compressor can see at once. */
export const FRAME_BYTES: number = 4 * 1024 * 1024;
