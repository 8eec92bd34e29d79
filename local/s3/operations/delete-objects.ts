// DeleteObject and DeleteObjects; the latter answers for each key on its own.
import { requireWritable } from "../conditions.ts";
import type { Operation, S3Request } from "../request.ts";
import { deleteObject, findObject, requireBucket } from "../store/objects.ts";
import { isRecord, malformed, readXml } from "../xml.ts";

const MAX_KEYS = 1000;

export const deleteObjectOperation: Operation = async (request, { store }) => {
  request.require("DeleteObject", { key: request.key });
  const ifMatch = request.header("if-match");
  await store.change((change) => {
    requireBucket(change.db, request.bucket);
    requireWritable({ ifMatch }, findObject(change.db, request.bucket, request.key));
    deleteObject(change, request.bucket, request.key);
  });
  return { status: 204 };
};

export const deleteObjects: Operation = async (request, { store }) => {
  const { keys, quiet } = await readDeleteList(request);
  const allowed = keys.filter((key) => request.may("DeleteObject", { key }));
  const refused = keys.filter((key) => !request.may("DeleteObject", { key }));
  await store.change((change) => {
    requireBucket(change.db, request.bucket);
    for (const key of allowed) deleteObject(change, request.bucket, key);
  });
  return {
    status: 200,
    xml: {
      root: "DeleteResult",
      children: {
        Deleted: quiet ? [] : allowed.map((Key) => ({ Key })),
        Error: refused.map((Key) => ({ Key, Code: "AccessDenied", Message: "Access Denied" })),
      },
    },
  };
};

async function readDeleteList(request: S3Request): Promise<{ keys: string[]; quiet: boolean }> {
  const list = readXml(await request.receiveText(), "Delete", ["Object"]);
  const objects = Array.isArray(list.Object) ? (list.Object as unknown[]) : [];
  if (objects.length === 0 || objects.length > MAX_KEYS) throw malformed();
  const keys = objects.map((object) => {
    if (!isRecord(object) || typeof object.Key !== "string" || object.Key === "") throw malformed();
    // A version or condition we did not honour would delete what the client meant to keep.
    const other = ["VersionId", "ETag", "Size", "LastModifiedTime"].find(
      (name) => object[name] !== undefined,
    );
    if (other !== undefined && object[other] !== "null") throw malformed();
    return object.Key;
  });
  return { keys, quiet: list.Quiet === "true" };
}
