// The bucket operations: create, look at, list, delete.
import type { Operation } from "../request.ts";
import { S3Error } from "../s3-error.ts";
import { requireBucket } from "../store/objects.ts";

export const createBucket: Operation = async (request, { store, now }) => {
  request.require("CreateBucket");
  if (!/^[a-z0-9.-]{3,63}$/.test(request.bucket)) {
    throw new S3Error("InvalidBucketName", "The specified bucket is not valid.");
  }
  await request.receiveText();
  await store.change(({ db }) => {
    if (db.get("SELECT 1 FROM buckets WHERE name = ?", request.bucket) !== undefined) {
      throw new S3Error("BucketAlreadyOwnedByYou", "The bucket exists and you own it.");
    }
    db.run("INSERT INTO buckets (name, created_ms) VALUES (?, ?)", request.bucket, now().getTime());
  });
  return { status: 200, headers: { location: `/${request.bucket}` } };
};

export const headBucket: Operation = (request, { store }) => {
  request.require("ListBucket");
  requireBucket(store.db, request.bucket);
  return { status: 200 };
};

export const getBucketLocation: Operation = (request, { store }) => {
  request.require("GetBucketLocation");
  requireBucket(store.db, request.bucket);
  return { status: 200, xml: { root: "LocationConstraint", children: {} } };
};

export const listBuckets: Operation = (request, { store }) => {
  request.require("ListAllMyBuckets", { bucket: "*" });
  const buckets = store.db.all<{ name: string; created_ms: number }>("SELECT * FROM buckets ORDER BY name");
  const Bucket = buckets.map(({ name, created_ms }) => ({
    Name: name,
    CreationDate: new Date(created_ms).toISOString(),
  }));
  return {
    status: 200,
    xml: {
      root: "ListAllMyBucketsResult",
      children: { Owner: { ID: "local", DisplayName: "local" }, Buckets: { Bucket } },
    },
  };
};

export const deleteBucket: Operation = async (request, { store }) => {
  request.require("DeleteBucket");
  await store.change(({ db }) => {
    requireBucket(db, request.bucket);
    const used =
      db.get("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", request.bucket) ??
      db.get("SELECT 1 FROM uploads WHERE bucket = ? LIMIT 1", request.bucket);
    if (used !== undefined)
      throw new S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty");
    db.run("DELETE FROM buckets WHERE name = ?", request.bucket);
  });
  return { status: 204 };
};
