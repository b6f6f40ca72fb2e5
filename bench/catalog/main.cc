// A catalog of any number of backups, and the three things that are asked of all of it at once.
//
//   catalog_bench build STORE BACKUPS    fills an empty catalog: 20 backups of each object
//   catalog_bench latest STORE           the newest good backup of every object
//   catalog_bench as-of STORE            the same as of a month ago
//   catalog_bench retention STORE        what a prune would do, by a policy of days, weeks, months
//   catalog_bench bbq STORE              the same by the preset `bbq`
//
// STORE is a file of SQLite, or the URL of a database of PostgreSQL. Each but `build` prints its
// seconds, and the peak of resident memory before and after: of a process that built nothing.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "base/hash.h"
#include "base/random.h"
#include "base/virtual_clock.h"
#include "bench/process_cost.h"
#include "catalog/postgres_catalog.h"
#include "catalog/postgres_connection.h"
#include "catalog/sql_catalog.h"
#include "catalog/sql_store.h"
#include "catalog/sqlite_catalog.h"
#include "catalog/sqlite_database.h"
#include "model/ids.h"
#include "repository/repository.h"
#include "retain/prune.h"
#include "sim/sim_cloud.h"

namespace holdfast::bench {
namespace {

constexpr int64_t kNowMs = 1'800'000'000'000;
constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kBackupsEach = 20;
constexpr int64_t kObjectsPerDataset = 100;
constexpr int64_t kDatasetsPerProject = 50;
constexpr int64_t kObjectsPerTransaction = 5'000;

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "{}\n", result.error().ToString());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

bool IsPostgres(const std::string& store) { return store.starts_with("postgres"); }

std::unique_ptr<catalog::Catalog> OpenCatalog(const std::string& store) {
  if (IsPostgres(store))
    return Must(catalog::PostgresCatalog::Open({.target = {.url = store, .password = {}}}));
  return Must(catalog::SqliteCatalog::Open(store));
}

// A catalog over one session, whose transaction may be one of many calls.
class BulkCatalog final : public catalog::SqlCatalog {
 public:
  explicit BulkCatalog(catalog::SqlSession& session)
      : SqlCatalog(std::make_unique<OneSession>(session)) {}

 private:
  class OneSession final : public catalog::SqlStore {
   public:
    explicit OneSession(catalog::SqlSession& session) : session_(session) {}
    Result<catalog::SqlLease> Take() override {
      return catalog::SqlLease(&session_, [](catalog::SqlSession*) {});
    }

   private:
    catalog::SqlSession& session_;
  };
};

// Two of three objects are plain tables, the others are partitions.
TableRef ObjectOf(int64_t number) {
  const int64_t dataset = number / kObjectsPerDataset;
  TableRef object{fmt::format("acme-team-{:04}", dataset / kDatasetsPerProject),
                  fmt::format("warehouse_{:03}", dataset % kDatasetsPerProject),
                  fmt::format("customer_orders_{:05}", number % kObjectsPerDataset),
                  {}};
  if (number % 3 == 0)
    object.partition = fmt::format("2026{:02}{:02}", number % 12 + 1, number % 28 + 1);
  return object;
}

repository::Location RepositoryOf(const TableRef& object) {
  return {object.project + "-holdfast-us", "holdfast"};
}

// The i-th backup of an object, the newest first: they become rarer with age, over seven months.
catalog::BackupRecord RecordOf(const TableRef& object, int64_t number, int64_t i) {
  const int64_t at_ms = kNowMs - i * (i + 1) / 2 * kDayMs - number % 3'600 * 1'000 - 60'000;
  const repository::Location repository = RepositoryOf(object);
  std::string started = FormatTimestamp(FromUnixMillis(at_ms / kDayMs * kDayMs)).substr(0, 10);
  std::erase(started, '-');
  const std::string run = started + "T020000Z-3fa9c1d2";
  const std::string hash = Sha256Hex(object.ToString());
  return {.backup = BackupId(run, object, Method::kExport),
          .object = object,
          .run = run,
          .created_ms = at_ms,
          .consistent_through_ms = at_ms,
          .source = {.creation_ms = kNowMs - 400 * kDayMs,
                     .last_modified_ms = at_ms - 3'600'000,
                     .rows = 1'000'000 - i,
                     .bytes = 52'000'000 - i * 52,
                     .schema_hash = hash,
                     .metadata_hash = hash,
                     .partitioning = {.kind = object.partition.empty() ? Partitioning::Kind::kNone
                                                                       : Partitioning::Kind::kDay,
                                      .field = object.partition.empty() ? "" : "ordered_at"}},
          .location = "US",
          .bucket = repository.bucket,
          .prefix = repository.prefix,
          .rows = 1'000'000 - i,
          .stored_bytes = 12'000'000 - i * 12,
          .objects = 4,
          .content_digest = "hf1:" + hash.substr(0, 32) + ":" + std::to_string(1'000'000 - i),
          .suspect = (number + i) % 100 == 0 ? "it has less than half of the rows before it" : "",
          .verified = VerifyLevel::kL2,
          .verified_ms = at_ms};
}

template <typename Session>
void Fill(Session& session, int64_t backups) {
  BulkCatalog catalog(session);
  const int64_t objects = backups / kBackupsEach;
  for (int64_t first = 0; first < objects; first += kObjectsPerTransaction) {
    const int64_t end = std::min(first + kObjectsPerTransaction, objects);
    Must<void>(session.Transact([&]() -> Status {
      for (int64_t number = first; number < end; ++number) {
        for (int64_t i = 0; i < kBackupsEach; ++i) {
          HF_RETURN_IF_ERROR(catalog.RecordBackup(RecordOf(ObjectOf(number), number, i)));
        }
      }
      return Ok();
    }));
  }
}

void Build(const std::string& store, int64_t backups) {
  OpenCatalog(store);  // makes its tables
  if (IsPostgres(store)) {
    Fill(*Must(catalog::PostgresConnection::Open({.url = store, .password = {}})), backups);
  } else {
    const auto database = Must(catalog::SqliteDatabase::Open(store, 1'000));
    // It is filled in no time that is measured.
    Must<void>(database->ExecuteScript("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;"));
    Fill(*database, backups);
  }
}

// What was gone through, so that a number over nothing is seen.
struct Counted {
  int64_t objects = 0;
  int64_t backups = 0;
  int64_t kept = 0;
};

Counted ListNewest(catalog::Catalog& catalog, std::optional<int64_t> as_of_ms) {
  const catalog::BackupFilter filter{.as_of_ms = as_of_ms, .good_only = true, .newest_only = true};
  Counted counted;
  Must<void>(cloud::ForEachPage<catalog::BackupRecord>(
      [&](const std::string& token) { return catalog.FindBackups(filter, token); },
      [&](catalog::BackupRecord&& record) -> Status {
        ++counted.objects;
        counted.backups += record.backup.empty() ? 0 : 1;
        return Ok();
      }));
  counted.kept = counted.backups;
  return counted;
}

// The repositories that a plan looks into for pins and tombstones: there are none.
void MakeRepositories(catalog::Catalog& catalog, sim::SimCloud& cloud, const Clock& clock,
                      Random& random) {
  for (int64_t number = 0;; number += kObjectsPerDataset * kDatasetsPerProject) {
    const TableRef first = ObjectOf(number);
    if (Must(catalog.FindBackups(
                 {.project = first.project, .dataset = first.dataset, .table = first.table}, ""))
            .items.empty())
      return;
    cloud.AddProject(first.project);
    const repository::Location location = RepositoryOf(first);
    Must(cloud.objects().EnsureBucket(
        {.name = location.bucket, .project = first.project, .location = "US"}));
    Must(repository::Repository::OpenOrCreate(cloud.objects(), location, clock, random));
  }
}

// As `backup prune` plans: the first verdicts are kept to be shown, the others are counted.
Counted PlanAll(const retain::Services& services) {
  Counted counted;
  const auto plan = Must(retain::PlanPrune(services, {}, [&](const retain::RetentionPlan& of) {
    for (const retain::Verdict& verdict : of.verdicts)
      counted.backups += verdict.reasons.empty() ? 0 : 1;
    return Ok();
  }));
  if (plan.problem_count != 0) Must<void>(plan.problems.front().error);
  counted.objects = plan.objects;
  counted.kept = plan.kept;
  return counted;
}

void Measure(const std::string& what, const std::string& store) {
  VirtualClock clock{FromUnixMillis(kNowMs)};
  sim::SimCloud cloud{clock};
  const auto random = MakeSeededRandom(1);
  const auto catalog = OpenCatalog(store);
  MakeRepositories(*catalog, cloud, clock, *random);
  const RetentionPolicy policy = Must(RetentionPolicy::FromJson(
      Must(ParseJson(what == "bbq" ? R"({"preset": "bbq"})"
                                   : R"({"keep_daily": 7, "keep_weekly": 5, "keep_monthly": 12,
                          "minimum_count": 2, "deleted_source": {"grace": "7m"}})"))));
  const retain::Services services{
      .warehouse = cloud.warehouse(),
      .definitions = cloud.definitions(),
      .objects = cloud.objects(),
      .catalog = *catalog,
      .clock = clock,
      .random = *random,
      .policy_of = [&](const TableRef&) -> Result<RetentionPolicy> { return policy; }};
  const double start_mib = PeakMebibytes();
  const double cpu_before = CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  Counted counted;
  if (what == "latest") {
    counted = ListNewest(*catalog, std::nullopt);
  } else if (what == "as-of") {
    counted = ListNewest(*catalog, kNowMs - 30 * kDayMs);
  } else {
    counted = PlanAll(services);
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  fmt::print(
      "{{\"objects\": {}, \"backups\": {}, \"kept\": {}, \"wall\": {:.3f}, \"cpu\": {:.3f}, "
      "\"start_mib\": {:.0f}, \"peak_mib\": {:.0f}}}\n",
      counted.objects, counted.backups, counted.kept, wall.count(), CpuSeconds() - cpu_before,
      start_mib, PeakMebibytes());
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "build" && argc == 4) {
    holdfast::bench::Build(argv[2], std::atoll(argv[3]));
    return 0;
  }
  if ((what == "latest" || what == "as-of" || what == "retention" || what == "bbq") && argc == 3) {
    holdfast::bench::Measure(what, argv[2]);
    return 0;
  }
  fmt::print(stderr,
             "usage: catalog_bench build STORE BACKUPS\n"
             "       catalog_bench latest|as-of|retention|bbq STORE\n");
  return 2;
}
