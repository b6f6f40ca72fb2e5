#include "localcloud/pubsub/store.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>

namespace holdfast::pubsub {

namespace {

constexpr const char* kSchema = R"sql(
  CREATE TABLE IF NOT EXISTS counter (
    name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT OR IGNORE INTO counter VALUES ('generation', 0), ('last_message_id', 0);
  CREATE TABLE IF NOT EXISTS topic (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL, settings BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS subscription (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL, topic_id INTEGER NOT NULL,
    settings BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, retained INTEGER NOT NULL,
    body BLOB NOT NULL);
  CREATE INDEX IF NOT EXISTS message_retained ON message (topic_id, id) WHERE retained = 1;
  CREATE TABLE IF NOT EXISTS backlog (
    subscription_id INTEGER NOT NULL, acked INTEGER NOT NULL, message_id INTEGER NOT NULL,
    attempts INTEGER NOT NULL, ordering_key BLOB NOT NULL,
    PRIMARY KEY (subscription_id, acked, message_id)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS backlog_of_message ON backlog (message_id);
  CREATE INDEX IF NOT EXISTS backlog_of_key ON backlog (subscription_id, ordering_key, message_id)
    WHERE ordering_key <> x'';
)sql";

constexpr int kSeekBatch = 1000;    // acknowledgements that a seek makes at a time
constexpr int kVacuumPages = 1024;  // given back to the file system per sweep
constexpr int64_t kEverything = std::numeric_limits<int64_t>::max();

template <typename Settings>
Result<Settings> ParseSettings(std::string_view bytes) {
  Settings settings;
  if (!settings.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return MakeError(ErrorId::kPubsubStoreFailed, "pubsub.sqlite: settings cannot be read");
  }
  return settings;
}

Result<std::vector<int64_t>> ReadIds(Result<sqlite::Statement> prepared) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement query, std::move(prepared));
  std::vector<int64_t> ids;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return ids;
    ids.push_back(query.Int(0));
  }
}

// The id from which on the owner keeps its rows; an owner that is gone keeps none.
int64_t OldestOf(std::span<const Store::Horizon> horizons, int64_t owner_id) {
  const auto found = std::ranges::find(horizons, owner_id, &Store::Horizon::owner_id);
  return found == horizons.end() ? kEverything : found->oldest_id;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(const std::string& directory) {
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) {
    return MakeError(ErrorId::kPubsubStoreFailed, directory + ": " + failure.message());
  }
  const std::string path = (std::filesystem::path(directory) / "pubsub.sqlite").string();
  auto store = std::unique_ptr<Store>(new Store());
  HF_ASSIGN_OR_RETURN(store->writer_, sqlite::Database::Open(path, {.incremental_vacuum = true}));
  HF_RETURN_IF_ERROR(store->Prepare());
  HF_ASSIGN_OR_RETURN(store->reader_, sqlite::Database::Open(path));
  return store;
}

Status Store::Prepare() {
  HF_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::Begin(*writer_));
  HF_RETURN_IF_ERROR(writer_->Execute(kSchema));
  HF_RETURN_IF_ERROR(
      writer_->Run("UPDATE counter SET value = value + 1 WHERE name = 'generation'"));
  constexpr std::string_view kCounter = "SELECT value FROM counter WHERE name = ?";
  HF_ASSIGN_OR_RETURN(const auto generation, writer_->ReadInt(kCounter, "generation"));
  HF_ASSIGN_OR_RETURN(const auto last_message_id, writer_->ReadInt(kCounter, "last_message_id"));
  CHECK(generation && last_message_id, "the counters were just made");
  generation_ = *generation;
  last_message_id_ = *last_message_id;
  return transaction.Commit();
}

Result<std::vector<StoredTopic>> Store::LoadTopics() {
  const std::lock_guard lock(reader_mutex_);
  HF_ASSIGN_OR_RETURN(sqlite::Statement query,
                      reader_->Prepare("SELECT id, settings FROM topic ORDER BY id"));
  std::vector<StoredTopic> topics;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return topics;
    HF_ASSIGN_OR_RETURN(auto settings, ParseSettings<wire::Topic>(query.Bytes(1)));
    topics.push_back({.id = query.Int(0), .settings = std::move(settings)});
  }
}

Result<std::vector<StoredSubscription>> Store::LoadSubscriptions() {
  const std::lock_guard lock(reader_mutex_);
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement query,
      reader_->Prepare("SELECT id, topic_id, settings FROM subscription ORDER BY id"));
  std::vector<StoredSubscription> subscriptions;
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return subscriptions;
    HF_ASSIGN_OR_RETURN(auto settings, ParseSettings<wire::Subscription>(query.Bytes(2)));
    subscriptions.push_back(
        {.id = query.Int(0), .topic_id = query.Int(1), .settings = std::move(settings)});
  }
}

Result<int64_t> Store::NewestBacklogId(int64_t subscription_id) {
  const std::lock_guard lock(reader_mutex_);
  HF_ASSIGN_OR_RETURN(
      const auto newest,
      reader_->ReadInt(
          "SELECT max(message_id) FROM backlog WHERE subscription_id = ? AND acked = 0",
          subscription_id));
  return newest.value_or(0);
}

Status Store::ReadBacklog(int64_t subscription_id, int64_t first, int64_t last,
                          const BacklogVisitor& visitor) {
  const std::lock_guard lock(reader_mutex_);
  return Read(reader_->Prepare("SELECT b.message_id, b.attempts, b.ordering_key, m.body"
                               " FROM backlog b JOIN message m ON m.id = b.message_id"
                               " WHERE b.subscription_id = ? AND b.acked = 0"
                               " AND b.message_id BETWEEN ? AND ? ORDER BY b.message_id",
                               subscription_id, first, last),
              visitor);
}

Status Store::ReadOrderingKey(int64_t subscription_id, std::string_view ordering_key, int64_t first,
                              int64_t last, const BacklogVisitor& visitor) {
  const std::lock_guard lock(reader_mutex_);
  return Read(reader_->Prepare(
                  "SELECT b.message_id, b.attempts, b.ordering_key, m.body"
                  " FROM backlog b INDEXED BY backlog_of_key JOIN message m ON m.id = b.message_id"
                  " WHERE b.subscription_id = ? AND b.ordering_key = ? AND b.ordering_key <> x''"
                  " AND b.message_id BETWEEN ? AND ? AND b.acked = 0 ORDER BY b.message_id",
                  subscription_id, sqlite::Blob{ordering_key}, first, last),
              visitor);
}

Status Store::Read(Result<sqlite::Statement> prepared, const BacklogVisitor& visitor) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement query, std::move(prepared));
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return Ok();
    HF_ASSIGN_OR_RETURN(const bool more, visitor({.message_id = query.Int(0),
                                                  .attempts = static_cast<int>(query.Int(1)),
                                                  .ordering_key = query.Bytes(2),
                                                  .query = query}));
    if (!more) return Ok();
  }
}

Status Store::Begin() { return writer_->Execute("BEGIN IMMEDIATE"); }

Status Store::Commit() {
  HF_RETURN_IF_ERROR(
      writer_->Run("UPDATE counter SET value = ?1 WHERE name = 'last_message_id' AND value <> ?1",
                   last_message_id_));
  return writer_->Execute("COMMIT");
}

void Store::Rollback() {
  // After some failures SQLite has rolled back by itself; then this one has nothing to do.
  (void)writer_->Execute("ROLLBACK");
}

Status Store::BeginOperation() { return writer_->Execute("SAVEPOINT operation"); }

Status Store::EndOperation(bool keep) {
  return writer_->Execute(keep ? "RELEASE operation" : "ROLLBACK TO operation; RELEASE operation");
}

Result<int64_t> Store::PutTopic(const StoredTopic& topic) {
  const std::string settings = topic.settings.SerializeAsString();
  if (topic.id != 0) {
    HF_RETURN_IF_ERROR(writer_->Run("UPDATE topic SET settings = ? WHERE id = ?",
                                    sqlite::Blob{settings}, topic.id));
    return topic.id;
  }
  HF_RETURN_IF_ERROR(writer_->Run("INSERT INTO topic (name, settings) VALUES (?, ?)",
                                  topic.settings.name(), sqlite::Blob{settings}));
  return writer_->last_insert_id();
}

Status Store::DeleteTopic(int64_t id) { return writer_->Run("DELETE FROM topic WHERE id = ?", id); }

Result<int64_t> Store::PutSubscription(const StoredSubscription& subscription) {
  const std::string settings = subscription.settings.SerializeAsString();
  if (subscription.id != 0) {
    HF_RETURN_IF_ERROR(
        writer_->Run("UPDATE subscription SET settings = ?, topic_id = ? WHERE id = ?",
                     sqlite::Blob{settings}, subscription.topic_id, subscription.id));
    return subscription.id;
  }
  HF_RETURN_IF_ERROR(
      writer_->Run("INSERT INTO subscription (name, topic_id, settings) VALUES (?, ?, ?)",
                   subscription.settings.name(), subscription.topic_id, sqlite::Blob{settings}));
  return writer_->last_insert_id();
}

Status Store::DeleteSubscription(int64_t id) {
  return writer_->Run("DELETE FROM subscription WHERE id = ?", id);
}

int64_t Store::NextMessageId(Timestamp now) {
  last_message_id_ = std::max<int64_t>(last_message_id_ + 1, now.time_since_epoch().count());
  return last_message_id_;
}

Status Store::PutMessage(int64_t id, int64_t topic_id, bool retained, std::string_view body) {
  return writer_->Run("INSERT INTO message (id, topic_id, retained, body) VALUES (?, ?, ?, ?)", id,
                      topic_id, retained, sqlite::Blob{body});
}

Status Store::PutBacklog(int64_t subscription_id, int64_t message_id,
                         std::string_view ordering_key) {
  return writer_->Run(
      "INSERT INTO backlog (subscription_id, acked, message_id, attempts, ordering_key)"
      " VALUES (?, 0, ?, 0, ?)",
      subscription_id, message_id, sqlite::Blob{ordering_key});
}

Result<std::optional<std::string>> Store::ReadBody(int64_t message_id) {
  HF_ASSIGN_OR_RETURN(sqlite::Statement query,
                      writer_->Prepare("SELECT body FROM message WHERE id = ?", message_id));
  HF_ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) return std::optional<std::string>();
  return std::optional<std::string>(query.Text(0));
}

Status Store::SetAttempts(int64_t subscription_id, int64_t message_id, int attempts) {
  return writer_->Run(
      "UPDATE backlog SET attempts = ?"
      " WHERE subscription_id = ? AND acked = 0 AND message_id = ?",
      attempts, subscription_id, message_id);
}

Status Store::Acknowledge(int64_t subscription_id, std::span<const int64_t> message_ids,
                          bool retain) {
  constexpr std::string_view kRetain =
      "UPDATE backlog SET acked = 1 WHERE subscription_id = ? AND acked = 0 AND message_id = ?";
  constexpr std::string_view kRemove =
      "DELETE FROM backlog WHERE subscription_id = ? AND acked IN (0, 1) AND message_id = ?";
  for (const int64_t id : message_ids) {
    HF_RETURN_IF_ERROR(writer_->Run(retain ? kRetain : kRemove, subscription_id, id));
    if (!retain) HF_RETURN_IF_ERROR(RemoveIfUnreferenced(id));
  }
  return Ok();
}

Status Store::RemoveIfUnreferenced(int64_t message_id) {
  return writer_->Run(
      "DELETE FROM message WHERE id = ?1 AND retained = 0"
      " AND NOT EXISTS (SELECT 1 FROM backlog WHERE message_id = ?1)",
      message_id);
}

Status Store::Seek(const SeekTarget& target, const Filter& filter) {
  while (true) {
    HF_ASSIGN_OR_RETURN(
        const std::vector<int64_t> earlier,
        ReadIds(writer_->Prepare("SELECT message_id FROM backlog"
                                 " WHERE subscription_id = ? AND acked = 0 AND message_id < ?"
                                 " LIMIT ?",
                                 target.subscription_id, target.first_id, kSeekBatch)));
    if (earlier.empty()) break;
    HF_RETURN_IF_ERROR(Acknowledge(target.subscription_id, earlier, target.retain));
  }
  HF_RETURN_IF_ERROR(
      writer_->Run("UPDATE backlog SET acked = 0, attempts = 0"
                   " WHERE subscription_id = ? AND acked = 1 AND message_id >= ?",
                   target.subscription_id, std::max(target.first_id, target.oldest_retained)));
  return target.oldest_in_topic == 0 ? Ok() : RestoreFromTopic(target, filter);
}

Status Store::RestoreFromTopic(const SeekTarget& target, const Filter& filter) {
  HF_ASSIGN_OR_RETURN(
      sqlite::Statement query,
      writer_->Prepare("SELECT id, body FROM message INDEXED BY message_retained"
                       " WHERE retained = 1 AND topic_id = ? AND id >= ? AND NOT EXISTS"
                       " (SELECT 1 FROM backlog WHERE subscription_id = ? AND"
                       " message_id = message.id)",
                       target.topic_id, std::max(target.first_id, target.oldest_in_topic),
                       target.subscription_id));
  while (true) {
    HF_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return Ok();
    HF_ASSIGN_OR_RETURN(const auto message, ParseSettings<wire::PubsubMessage>(query.Bytes(1)));
    if (!filter.Matches(message)) continue;
    HF_RETURN_IF_ERROR(PutBacklog(target.subscription_id, query.Int(0),
                                  target.ordered ? message.ordering_key() : std::string()));
  }
}

Result<bool> Store::Sweep(std::span<const Horizon> subscriptions, std::span<const Horizon> topics,
                          int rows_max) {
  HF_ASSIGN_OR_RETURN(const int from_backlog, SweepBacklog(subscriptions, rows_max));
  HF_ASSIGN_OR_RETURN(const int from_topics, SweepRetained(topics, rows_max));
  const std::string vacuum = "PRAGMA incremental_vacuum(" + std::to_string(kVacuumPages) + ")";
  HF_RETURN_IF_ERROR(writer_->Execute(vacuum));
  return from_backlog >= rows_max || from_topics >= rows_max;
}

Result<int> Store::SweepBacklog(std::span<const Horizon> subscriptions, int rows_max) {
  int removed = 0;
  int64_t owner = -1;
  while (removed < rows_max) {
    HF_ASSIGN_OR_RETURN(
        const auto next,
        writer_->ReadInt("SELECT subscription_id FROM backlog WHERE subscription_id > ?"
                         " ORDER BY subscription_id LIMIT 1",
                         owner));
    if (!next) break;
    owner = *next;
    HF_ASSIGN_OR_RETURN(
        const std::vector<int64_t> old,
        ReadIds(writer_->Prepare(
            "SELECT message_id FROM backlog"
            " WHERE subscription_id = ? AND acked IN (0, 1) AND message_id < ? LIMIT ?",
            owner, OldestOf(subscriptions, owner), rows_max - removed)));
    HF_RETURN_IF_ERROR(Acknowledge(owner, old, /*retain=*/false));
    removed += static_cast<int>(old.size());
  }
  return removed;
}

Result<int> Store::SweepRetained(std::span<const Horizon> topics, int rows_max) {
  int removed = 0;
  int64_t owner = -1;
  while (removed < rows_max) {
    HF_ASSIGN_OR_RETURN(const auto next,
                        writer_->ReadInt("SELECT topic_id FROM message INDEXED BY message_retained"
                                         " WHERE retained = 1 AND topic_id > ?"
                                         " ORDER BY topic_id LIMIT 1",
                                         owner));
    if (!next) break;
    owner = *next;
    HF_ASSIGN_OR_RETURN(
        const std::vector<int64_t> old,
        ReadIds(writer_->Prepare("SELECT id FROM message INDEXED BY message_retained"
                                 " WHERE retained = 1 AND topic_id = ? AND id < ? LIMIT ?",
                                 owner, OldestOf(topics, owner), rows_max - removed)));
    for (const int64_t id : old) {
      HF_RETURN_IF_ERROR(writer_->Run("UPDATE message SET retained = 0 WHERE id = ?", id));
      HF_RETURN_IF_ERROR(RemoveIfUnreferenced(id));
    }
    removed += static_cast<int>(old.size());
  }
  return removed;
}

}  // namespace holdfast::pubsub
