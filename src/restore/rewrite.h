// Rewriting a backup's Avro object where a load job would not give it back exactly.
//
// BigQuery exports DATETIME as text that its own load does not take for a DATETIME again
// (google-semantics trap 3), the bounds of a RANGE<DATETIME> as well. The same rows with
// `local-timestamp-micros` do load. The object is decoded and encoded again as a stream, twice:
// once to learn its size, once to send it. Nothing is kept on this machine and memory is bounded by
// a block.
#pragma once

#include "base/result.h"
#include "cloud/object_store.h"
#include "model/manifest.h"
#include "model/schema.h"

namespace holdfast::restore {

// Whether any column, at any depth, is one that a load does not give back. Pure.
bool NeedsRewrite(const Schema& schema);

// Writes `object` of the backup, in its loadable form, as `destination`. Idempotent: the same bytes
// every time. Errors: kObjectMissing (changed or gone), those of the Avro codec and the store.
Status RewriteObject(cloud::ObjectStore& store, const Manifest& manifest, const DataObject& object,
                     const cloud::ObjectRef& destination);

}  // namespace holdfast::restore
