#include "catalog/postgres_schema.h"

#include <fmt/format.h>

namespace holdfast::catalog {

namespace {

constexpr int64_t kPostgresSchemaVersion = 1;

constexpr const char* kPostgresTables = R"sql(
CREATE TABLE backups (
  backup TEXT COLLATE "C" PRIMARY KEY,
  project TEXT COLLATE "C" NOT NULL,
  dataset TEXT COLLATE "C" NOT NULL,
  table_id TEXT COLLATE "C" NOT NULL,
  partition TEXT COLLATE "C" NOT NULL,
  run TEXT COLLATE "C" NOT NULL,
  method TEXT COLLATE "C" NOT NULL,
  consistent_through_ms BIGINT NOT NULL,
  suspect BIGINT NOT NULL,
  verified_level BIGINT NOT NULL,
  verified_ms BIGINT NOT NULL,
  damaged_level BIGINT NOT NULL DEFAULT 0,
  record TEXT NOT NULL
);
CREATE INDEX backups_by_object ON backups
  (project, dataset, table_id, partition, consistent_through_ms DESC, backup DESC);
CREATE INDEX backups_by_run ON backups (run);

CREATE TABLE verifications (
  backup TEXT COLLATE "C" NOT NULL,
  at_ms BIGINT NOT NULL,
  level BIGINT NOT NULL,
  passed BIGINT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (backup, at_ms, level)
);

CREATE TABLE runs (
  run TEXT COLLATE "C" PRIMARY KEY,
  started_ms BIGINT NOT NULL,
  finished BIGINT NOT NULL,
  record TEXT NOT NULL
);
CREATE INDEX runs_by_time ON runs (started_ms DESC, run DESC);

CREATE TABLE tasks (
  sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task TEXT COLLATE "C" NOT NULL UNIQUE,
  run TEXT COLLATE "C" NOT NULL,
  topic TEXT COLLATE "C" NOT NULL,
  message TEXT NOT NULL,
  done BIGINT NOT NULL DEFAULT 0,
  attempt BIGINT NOT NULL DEFAULT 1,
  parent TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX tasks_by_run ON tasks (run, done, sequence);
CREATE INDEX tasks_by_parent ON tasks (parent, done, sequence);
CREATE INDEX tasks_by_topic ON tasks (run, done, topic);

CREATE TABLE run_tasks (
  run TEXT COLLATE "C" PRIMARY KEY,
  added BIGINT NOT NULL,
  done BIGINT NOT NULL,
  alive_ms BIGINT NOT NULL
);

CREATE TABLE run_totals (
  run TEXT COLLATE "C" NOT NULL,
  outcome BIGINT NOT NULL,
  objects BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  byte_count BIGINT NOT NULL,
  PRIMARY KEY (run, outcome)
);

CREATE TABLE outcomes (
  run TEXT COLLATE "C" NOT NULL,
  project TEXT COLLATE "C" NOT NULL,
  dataset TEXT COLLATE "C" NOT NULL,
  table_id TEXT COLLATE "C" NOT NULL,
  partition TEXT COLLATE "C" NOT NULL,
  outcome BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  byte_count BIGINT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (run, project, dataset, table_id, partition)
);

CREATE TABLE audit (
  sequence BIGINT PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash TEXT NOT NULL
);

CREATE TABLE quota_use (
  use_key TEXT COLLATE "C" NOT NULL,
  project TEXT COLLATE "C" NOT NULL,
  quota TEXT COLLATE "C" NOT NULL,
  day_ms BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (use_key, project, quota)
);
CREATE INDEX quota_use_by_day ON quota_use (day_ms, project, quota, amount);

CREATE TABLE quota_waiting (
  project TEXT COLLATE "C" NOT NULL,
  dataset TEXT COLLATE "C" NOT NULL,
  table_id TEXT COLLATE "C" NOT NULL,
  since_ms BIGINT NOT NULL,
  seen_ms BIGINT NOT NULL,
  PRIMARY KEY (project, dataset, table_id)
);
CREATE INDEX quota_waiting_by_time ON quota_waiting (seen_ms);

CREATE TABLE identity (id TEXT NOT NULL);
INSERT INTO identity VALUES (left(replace(gen_random_uuid()::text, '-', ''), 16));

CREATE TABLE catalog_version (version BIGINT NOT NULL);
)sql";

// Added to any version: a program that does not know them tells of less.
constexpr const char* kLossTables = R"sql(
CREATE TABLE IF NOT EXISTS backup_copies (
  project TEXT COLLATE "C" NOT NULL,
  dataset TEXT COLLATE "C" NOT NULL,
  table_id TEXT COLLATE "C" NOT NULL,
  partition TEXT COLLATE "C" NOT NULL,
  backup TEXT COLLATE "C" NOT NULL,
  bucket TEXT COLLATE "C" NOT NULL,
  prefix TEXT COLLATE "C" NOT NULL,
  state BIGINT NOT NULL,
  level BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  seen_ms BIGINT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (backup, bucket, prefix)
);
CREATE INDEX IF NOT EXISTS backup_copies_defects ON backup_copies
  (project, dataset, table_id, partition, backup, bucket, prefix) WHERE state >= 2;

CREATE TABLE IF NOT EXISTS accepted_losses (
  project TEXT COLLATE "C" NOT NULL,
  dataset TEXT COLLATE "C" NOT NULL,
  table_id TEXT COLLATE "C" NOT NULL,
  partition TEXT COLLATE "C" NOT NULL,
  backup TEXT COLLATE "C" NOT NULL,
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  withdrawn BIGINT NOT NULL,
  PRIMARY KEY (project, dataset, table_id, partition, backup)
);
CREATE INDEX IF NOT EXISTS accepted_losses_by_backup ON accepted_losses (backup);
)sql";

Result<int64_t> ReadCount(PostgresConnection& connection, std::string_view sql) {
  int64_t number = 0;
  HF_RETURN_IF_ERROR(connection.Query(sql, {}, [&](const SqlRow& row) -> Status {
    number = row.Int(0);
    return Ok();
  }));
  return number;
}

// 0: there is no catalog.
Result<int64_t> ReadVersion(PostgresConnection& connection) {
  // Not to_regclass, which may answer out of a cache from before we waited for the lock.
  HF_ASSIGN_OR_RETURN(
      const int64_t tables,
      ReadCount(connection,
                "SELECT COUNT(*) FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid"
                " WHERE nspname = 'holdfast' AND relname = 'catalog_version'"));
  if (tables == 0) return 0;
  return ReadCount(connection, "SELECT COALESCE(MAX(version), -1) FROM holdfast.catalog_version");
}

Status MakeTables(PostgresConnection& connection) {
  HF_ASSIGN_OR_RETURN(
      const int64_t schemas,
      ReadCount(connection, "SELECT COUNT(*) FROM pg_namespace WHERE nspname = 'holdfast'"));
  // Who may not make a schema can be given one, so it is not demanded of those who have it.
  if (schemas == 0) HF_RETURN_IF_ERROR(connection.ExecuteScript("CREATE SCHEMA holdfast"));
  HF_ASSIGN_OR_RETURN(
      const int64_t tables,
      ReadCount(connection,
                "SELECT COUNT(*) FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid"
                " WHERE nspname = 'holdfast'"));
  if (tables > 0) {
    return MakeError(ErrorId::kCatalogDamaged,
                     "the schema holdfast of the database is another program's",
                     "Name another database in catalog.url");
  }
  HF_RETURN_IF_ERROR(connection.ExecuteScript(kPostgresTables));
  HF_RETURN_IF_ERROR(connection.ExecuteScript(kLossTables));
  HF_RETURN_IF_ERROR(
      connection.Execute("INSERT INTO catalog_version VALUES (?)", {kPostgresSchemaVersion}));
  return Ok();
}

// A catalog of a program that did not keep them gets them, from whichever process comes first.
Status AddLossTables(PostgresConnection& connection) {
  constexpr std::string_view kCountThem =
      "SELECT COUNT(*) FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid"
      " WHERE nspname = 'holdfast' AND relname IN ('backup_copies', 'accepted_losses')";
  HF_ASSIGN_OR_RETURN(const int64_t there, ReadCount(connection, kCountThem));
  if (there == 2) return Ok();
  return connection.Transact([&]() -> Status {
    HF_RETURN_IF_ERROR(connection.Serialize("schema"));
    return connection.ExecuteScript(kLossTables);
  });
}

}  // namespace

Status PreparePostgresSchema(PostgresConnection& connection) {
  HF_ASSIGN_OR_RETURN(int64_t version, ReadVersion(connection));
  if (version == 0) {
    const auto make = [&]() -> Status {
      // Of several processes that start at once one makes them.
      HF_RETURN_IF_ERROR(connection.Serialize("schema"));
      HF_ASSIGN_OR_RETURN(version, ReadVersion(connection));
      return version == 0 ? MakeTables(connection) : Ok();
    };
    HF_RETURN_IF_ERROR(connection.Transact(make));
    HF_ASSIGN_OR_RETURN(version, ReadVersion(connection));
  }
  if (version == kPostgresSchemaVersion) return AddLossTables(connection);
  if (version < kPostgresSchemaVersion) {
    return MakeError(ErrorId::kCatalogDamaged, "the catalog in the database has no version");
  }
  return MakeError(ErrorId::kCatalogVersion,
                   fmt::format("the catalog has version {}; this program knows version {}", version,
                               kPostgresSchemaVersion));
}

}  // namespace holdfast::catalog
