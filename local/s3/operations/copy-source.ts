// What both copies share: the source named by x-amz-copy-source, if the signer may read it and its conditions hold.
import { requireCopyable } from "../conditions.ts";
import type { S3Context, S3Request } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import type { StoredObject } from "../store/objects.ts";
import { notImplemented, splitPath } from "../target.ts";
import { readConditions, requireObject } from "./get-object.ts";

export interface CopySource extends StoredObject {
  readonly bucket: string;
}

export function requireCopySource(request: S3Request, context: S3Context): CopySource {
  const [path = "", query = ""] = (request.header("x-amz-copy-source") ?? "").split("?", 2);
  if (query !== "" && query !== "versionId=null") throw notImplemented("versions of a copy source");
  const place = splitPath(`/${decode(path).replace(/^\//, "")}`);
  if (place.bucket === "" || place.key === "") {
    throw new S3Error(
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    );
  }
  const source = requireObject(request, context, place);
  requireCopyable(readConditions(request, "x-amz-copy-source-"), source);
  return { ...source, bucket: place.bucket };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new S3Error("InvalidArgument", "x-amz-copy-source is not percent-encoded UTF-8.", {}, error);
  }
}
