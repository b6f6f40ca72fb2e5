// What the operations of the BigQuery service work on: owned elsewhere, borrowed here.
//
// Everything referred to must outlive the service and is thread-safe. The directory is the
// service's own: bytes of uploads lie there until their load job is done.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "localcloud/bigquery/job_store.h"
#include "localcloud/storage/object_store.h"
#include "localcloud/warehouse/effect_scope.h"
#include "localcloud/warehouse/warehouse.h"

namespace holdfast::bigquery {

struct ServiceContext {
  warehouse::Warehouse& warehouse;
  storage::ObjectStore& objects;  // gs:// of load and extract jobs
  Clock& clock;
  Random& random;

  std::string upload_directory;

  // The catalog of datasets, tables and versions.
  warehouse::TableStore& tables() const { return warehouse.store(); }

  // What a job leaves, given how much its change did.
  using OutcomeOfCounts = std::function<JobOutcome(const warehouse::EffectCounts& counts)>;

  // While what this returns lives, the next change of tables by this thread notes in the same
  // transaction that the job took effect, and what it leaves behind.
  warehouse::EffectScope EffectOf(const Job& job, OutcomeOfCounts outcome) const {
    return warehouse::EffectScope(
        [job, outcome = std::move(outcome)](sqlite::Database& database,
                                            const warehouse::EffectCounts& counts) {
          Job noted = job;
          noted.Take(outcome(counts));
          return JobStore::NoteEffect(database, noted);
        });
  }

  // Now, in milliseconds since 1970, as REST documents tell times.
  int64_t NowMs() const { return ToUnixMillis(clock.Now()); }
};

}  // namespace holdfast::bigquery
