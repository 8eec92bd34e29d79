// One file of an archive, piece by piece, saved by the browser under the name that the Master calls harmless.
import { call } from "../api/client.ts";

/** `onBytes` is told how many have come. Throws ApiFault. */
export async function saveFile(
  backupId: string,
  path: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const pieces: Blob[] = [];
  let name = "";
  let offset: number | null = 0;
  while (offset !== null) {
    const piece = await fetchPiece(backupId, path, offset);
    pieces.push(new Blob([bytesOf(piece.content)]));
    name = piece.file_name;
    offset = piece.next_offset;
    onBytes(offset ?? piece.size_bytes);
  }
  offer(new Blob(pieces, { type: "application/octet-stream" }), name);
}

const fetchPiece = (id: string, path: string, offset: number) =>
  call("getBackupFile", { params: { id }, query: { path, offset } });

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}

function offer(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to save it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
