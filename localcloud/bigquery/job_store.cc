#include "localcloud/bigquery/job_store.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <mutex>
#include <utility>

#include "base/log.h"

namespace holdfast::bigquery {

namespace {

constexpr char kCreateTable[] = R"(
  CREATE TABLE IF NOT EXISTS bigquery_jobs (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    state INTEGER NOT NULL,
    creation_ms INTEGER NOT NULL,
    took_effect INTEGER NOT NULL DEFAULT 0,
    document TEXT NOT NULL,
    UNIQUE (project, id, location)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS bigquery_jobs_unfinished ON bigquery_jobs (state) WHERE state < 2;
)";

Error JobNotFound(const std::string& name) { return NotFound("Job " + name); }

// The sequence number that a page ends before; tokens are of our own making.
int64_t ParseToken(const std::string& token) {
  int64_t sequence = std::numeric_limits<int64_t>::max();
  std::from_chars(token.data(), token.data() + token.size(), sequence);
  return sequence;
}

}  // namespace

Result<std::unique_ptr<JobStore>> JobStore::Open(warehouse::TableStore& tables) {
  const std::lock_guard lock(tables.mutex());
  HF_RETURN_IF_ERROR(tables.database().Execute(kCreateTable));
  return std::unique_ptr<JobStore>(new JobStore(tables));
}

JobStore::~JobStore() {
  const std::lock_guard lock(tables_.mutex());
  WriteUnwritten();
}

Result<Job> JobStore::ReadJob(const sqlite::Statement& row, int column) const {
  HF_ASSIGN_OR_RETURN(const Json document, ParseJson(row.Text(column)));
  Job job = Job::FromDocument(document);
  const auto unwritten = unwritten_.find(job.key);
  if (unwritten != unwritten_.end()) return unwritten->second;
  return job;
}

Status JobStore::Insert(const Job& job) {
  const std::lock_guard lock(tables_.mutex());
  WriteUnwritten();
  sqlite::Database& database = tables_.database();
  HF_ASSIGN_OR_RETURN(const std::optional<int64_t> known,
                      database.ReadInt("SELECT sequence FROM bigquery_jobs WHERE project = ? AND "
                                       "id = ? AND location = ?",
                                       job.key.project, job.key.id, job.key.location));
  if (known) return Duplicate("Job " + job.key.ToString());
  return database.Run(
      "INSERT INTO bigquery_jobs (project, location, id, state, creation_ms, document) VALUES "
      "(?, ?, ?, ?, ?, ?)",
      job.key.project, job.key.location, job.key.id, static_cast<int64_t>(job.state),
      job.creation_ms, DumpJson(job.ToDocument()));
}

Status JobStore::Save(const Job& job) {
  const std::lock_guard lock(tables_.mutex());
  WriteUnwritten();
  return Update(job);
}

void JobStore::SaveDone(const Job& job) {
  const std::lock_guard lock(tables_.mutex());
  WriteUnwritten();
  const Status updated = Update(job);
  if (updated.ok()) return;
  LogError("the end of a job is kept in memory: it cannot be written",
           {{"job", job.key.ToString()}, {"error", updated.error().message}});
  unwritten_.insert_or_assign(job.key, job);
}

void JobStore::WriteUnwritten() {
  std::erase_if(unwritten_, [this](const auto& entry) { return Update(entry.second).ok(); });
}

Status JobStore::Update(const Job& job) {
  return tables_.database().Run(
      "UPDATE bigquery_jobs SET state = ?, document = ? WHERE project = ? AND id = ? AND "
      "location = ?",
      static_cast<int64_t>(job.state), DumpJson(job.ToDocument()), job.key.project, job.key.id,
      job.key.location);
}

Result<Job> JobStore::Get(const JobKey& key) {
  const std::lock_guard lock(tables_.mutex());
  WriteUnwritten();
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      tables_.database().Prepare("SELECT document FROM bigquery_jobs WHERE "
                                                 "project = ? AND id = ? AND location = ?",
                                                 key.project, key.id, key.location));
  HF_ASSIGN_OR_RETURN(const bool found, statement.Step());
  if (!found) return JobNotFound(key.ToString());
  return ReadJob(statement, 0);
}

Status JobStore::Delete(const JobKey& key) {
  const std::lock_guard lock(tables_.mutex());
  unwritten_.erase(key);
  HF_RETURN_IF_ERROR(tables_.database().Run(
      "DELETE FROM bigquery_jobs WHERE project = ? AND id = ? AND location = ?", key.project,
      key.id, key.location));
  if (tables_.database().rows_changed() == 0) return JobNotFound(key.ToString());
  return Ok();
}

Result<Job> JobStore::Find(const std::string& project, const std::string& id) {
  const std::lock_guard lock(tables_.mutex());
  WriteUnwritten();
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      tables_.database().Prepare("SELECT document FROM bigquery_jobs WHERE project = ? AND id = ? "
                                 "ORDER BY sequence DESC LIMIT 1",
                                 project, id));
  HF_ASSIGN_OR_RETURN(const bool found, statement.Step());
  if (!found) return JobNotFound(fmt::format("{}:{}", project, id));
  return ReadJob(statement, 0);
}

Result<warehouse::Page<Job>> JobStore::List(const std::string& project, const JobFilter& filter,
                                            const warehouse::PageRequest& page) {
  const int64_t before = ParseToken(page.token);
  int64_t states = filter.states.empty() ? -1 : 0;  // bit i: state i
  for (const JobState state : filter.states) states |= int64_t{1} << static_cast<int>(state);
  const std::lock_guard lock(tables_.mutex());
  WriteUnwritten();
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement statement,
      tables_.database().Prepare(
          "SELECT sequence, document FROM bigquery_jobs WHERE project = ? AND sequence < ? AND "
          "((1 << state) & ?) != 0 AND creation_ms >= ? AND creation_ms <= ? ORDER BY sequence "
          "DESC "
          "LIMIT ?",
          project, before, states, filter.creation_ms_min.value_or(0),
          filter.creation_ms_max.value_or(std::numeric_limits<int64_t>::max()),
          page.results_max + 1));
  warehouse::Page<Job> result;
  int64_t last = 0;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool more, statement.Step());
    if (!more) return result;
    if (static_cast<int64_t>(result.items.size()) == page.results_max) break;
    last = statement.Int(0);
    HF_ASSIGN_OR_RETURN(Job job, ReadJob(statement, 1));
    result.items.push_back(std::move(job));
  }
  result.next_token = std::to_string(last);
  return result;
}

Result<std::vector<Job>> JobStore::Unfinished() {
  const std::lock_guard lock(tables_.mutex());
  HF_ASSIGN_OR_RETURN(sqlite::Statement statement,
                      tables_.database().Prepare("SELECT document FROM bigquery_jobs WHERE "
                                                 "state < 2 ORDER BY sequence"));
  std::vector<Job> jobs;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool more, statement.Step());
    if (!more) return jobs;
    HF_ASSIGN_OR_RETURN(Job job, ReadJob(statement, 0));
    jobs.push_back(std::move(job));
  }
}

Status JobStore::NoteEffect(sqlite::Database& database, const Job& job) {
  return database.Run(
      "UPDATE bigquery_jobs SET took_effect = 1, document = ? WHERE project = ? AND id = ? AND "
      "location = ?",
      DumpJson(job.ToDocument()), job.key.project, job.key.id, job.key.location);
}

Result<bool> JobStore::HasTakenEffect(const JobKey& key) {
  const std::lock_guard lock(tables_.mutex());
  HF_ASSIGN_OR_RETURN(const std::optional<int64_t> took_effect,
                      tables_.database().ReadInt("SELECT took_effect FROM bigquery_jobs WHERE "
                                                 "project = ? AND id = ? AND location = ?",
                                                 key.project, key.id, key.location));
  return took_effect.value_or(0) != 0;
}

}  // namespace holdfast::bigquery
