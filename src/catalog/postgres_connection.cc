#include "catalog/postgres_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/json.h"
#include "catalog/postgres_url.h"

namespace holdfast::catalog {

namespace {

// Of PostgreSQL's catalog/pg_type.h, fixed for ever.
constexpr Oid kInt8Type = 20;
constexpr Oid kTextType = 25;

constexpr int kTransactionsMax = 20;

// What the catalog relies on, whatever server, database and user have as their defaults: its own
// schema, a bounded wait for another's lock, a commit that is on disk when it returns. Statements
// on many rows are all made to go by an index in its order; a planner that knows nothing yet of a
// table just filled would sort all of it for each page.
constexpr std::string_view kSettings =
    "SELECT set_config('search_path', 'holdfast', false), set_config('lock_timeout', '30s', false),"
    " set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false),"
    " set_config('enable_bitmapscan', 'off', false), set_config('enable_sort', 'off', false),"
    " CASE current_setting('synchronous_commit')"
    " WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END";

class PostgresRow final : public SqlRow {
 public:
  PostgresRow(const PGresult* answer, int row) : answer_(answer), row_(row) {}

  int64_t Int(int column) const override {
    const char* text = PQgetvalue(answer_, row_, column);
    int64_t number = 0;
    std::from_chars(text, text + PQgetlength(answer_, row_, column), number);
    return number;
  }
  std::string_view View(int column) const override {
    return {PQgetvalue(answer_, row_, column),
            static_cast<size_t>(PQgetlength(answer_, row_, column))};
  }

 private:
  const PGresult* answer_;
  int row_;
};

// The values of one statement as libpq takes them: numbers as digits, texts as their bytes, which
// must be UTF-8.
class BoundValues {
 public:
  explicit BoundValues(const std::vector<SqlValue>& values) {
    owned_.reserve(values.size());
    for (const SqlValue& value : values) {
      const auto* number = std::get_if<int64_t>(&value);
      owned_.push_back(number != nullptr ? std::to_string(*number)
                                         : ValidText(std::get<std::string_view>(value)));
      types_.push_back(number != nullptr ? kInt8Type : kTextType);
      formats_.push_back(number != nullptr ? 0 : 1);
      lengths_.push_back(static_cast<int>(owned_.back().size()));
      pointers_.push_back(owned_.back().c_str());
    }
  }

  PGresult* Send(PGconn* connection, const std::string& sql) const {
    return PQexecParams(connection, sql.c_str(), static_cast<int>(owned_.size()), types_.data(),
                        pointers_.data(), lengths_.data(), formats_.data(), 0);
  }

 private:
  // What is not UTF-8 is replaced as it is wherever we write JSON.
  static std::string ValidText(std::string_view text) {
    if (std::ranges::all_of(text, [](char c) { return c > 0; })) return std::string(text);
    const auto valid = ParseJson(DumpJson(Json(std::string(text))));
    return valid.ok() ? valid->get<std::string>() : std::string();
  }

  std::vector<std::string> owned_;
  std::vector<Oid> types_;
  std::vector<const char*> pointers_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

std::string OneLine(const char* message) {
  std::string text = message == nullptr ? "" : message;
  while (text.ends_with('\n')) text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return text;
}

// Which of ours an SQLSTATE is; source: PostgreSQL manual, appendix A.
ErrorId IdOf(std::string_view state) {
  if (state == "53100") return ErrorId::kDiskFull;
  for (const std::string_view refused : {"28", "42501", "3D000"}) {
    if (state.starts_with(refused)) return ErrorId::kCatalogRefused;
  }
  // Tables or columns that are not there, and pages that cannot be read.
  for (const std::string_view damaged : {"42P01", "42703", "XX001", "XX002"}) {
    if (state == damaged) return ErrorId::kCatalogDamaged;
  }
  return ErrorId::kCatalogUnavailable;
}

// The server took back the transaction so that another could go on.
bool IsConflict(const Error& error) { return error.reason == "40001" || error.reason == "40P01"; }

using Parameters = std::map<std::string, std::string>;

Result<Parameters> ParametersOf(const PostgresTarget& target) {
  HF_RETURN_IF_ERROR(ValidatePostgresUrl(target.url));
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(target.url.c_str(), nullptr), &PQconninfoFree);
  // A server that is not there must not be waited for for minutes.
  Parameters parameters = {{"fallback_application_name", "holdfast"},
                           {"connect_timeout", "10"},
                           {"tcp_user_timeout", "60000"}};
  for (const PQconninfoOption* at = options.get(); at != nullptr && at->keyword != nullptr; ++at) {
    if (at->val != nullptr) parameters[at->keyword] = at->val;
  }
  parameters["client_encoding"] = "UTF8";
  if (!target.password.empty()) parameters["password"] = target.password;
  return parameters;
}

struct KeysAndValues {
  explicit KeysAndValues(const Parameters& parameters) {
    for (const auto& [key, value] : parameters) {
      keys.push_back(key.c_str());
      values.push_back(value.c_str());
    }
    keys.push_back(nullptr);
    values.push_back(nullptr);
  }
  std::vector<const char*> keys;
  std::vector<const char*> values;
};

// Why there is no connection: the server says no, or there is none that says anything.
Error ConnectError(PGconn* connection, const KeysAndValues& parameters) {
  const std::string message = "catalog: " + OneLine(PQerrorMessage(connection));
  if (PQconnectionNeedsPassword(connection) != 0) {
    return MakeError(ErrorId::kCatalogRefused, message,
                     "Set catalog.password to env:NAME or file:PATH");
  }
  if (PQconnectionUsedPassword(connection) != 0 && message.find("password") != std::string::npos) {
    return MakeError(ErrorId::kCatalogRefused, message,
                     "Check the user in catalog.url and what catalog.password refers to");
  }
  const bool is_full = message.find("connection slots") != std::string::npos ||
                       message.find("too many") != std::string::npos;
  if (is_full) {
    return MakeError(ErrorId::kCatalogUnavailable, message,
                     "Raise the server's max_connections, or run fewer processes");
  }
  if (PQpingParams(parameters.keys.data(), parameters.values.data(), 0) == PQPING_OK) {
    return MakeError(ErrorId::kCatalogRefused, message);
  }
  return MakeError(ErrorId::kCatalogUnavailable, message,
                   "Check that the server of catalog.url runs and can be reached from here, then "
                   "run the same command again: it continues");
}

}  // namespace

std::string WithNumberedParameters(std::string_view sql) {
  std::string numbered;
  int next = 1;
  for (size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] != '?') {
      numbered += sql[i];
      continue;
    }
    numbered += '$';
    const bool has_number = i + 1 < sql.size() && sql[i + 1] >= '0' && sql[i + 1] <= '9';
    if (!has_number) numbered += std::to_string(next++);
  }
  return numbered;
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::Open(const PostgresTarget& target) {
  HF_ASSIGN_OR_RETURN(const Parameters parameters, ParametersOf(target));
  const KeysAndValues arrays(parameters);
  std::unique_ptr<PostgresConnection> connection(
      new PostgresConnection(PQconnectdbParams(arrays.keys.data(), arrays.values.data(), 0)));
  if (PQstatus(connection->connection_.get()) != CONNECTION_OK) {
    return ConnectError(connection->connection_.get(), arrays);
  }
  HF_RETURN_IF_ERROR(connection->SetUp());
  return connection;
}

Status PostgresConnection::SetUp() {
  // Notices, such as that of a server about to stop, would go to stderr.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  return Query(kSettings, {}, [](const SqlRow&) { return Ok(); });
}

Error PostgresConnection::ErrorOf(const PGresult* result) const {
  const PGconn* connection = connection_.get();
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary =
      result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string message =
      fmt::format("catalog {} on {}: {}", PQdb(connection), PQhost(connection),
                  primary != nullptr ? primary : OneLine(PQerrorMessage(connection)));
  const std::string code = state == nullptr ? "" : state;
  return WithReason(code, MakeError(IdOf(code), message));
}

Result<PostgresConnection::Answer> PostgresConnection::Check(Answer answer) const {
  const ExecStatusType status = PQresultStatus(answer.get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return answer;
  return ErrorOf(answer.get());
}

Result<PostgresConnection::Answer> PostgresConnection::Send(const std::string& sql,
                                                            const std::vector<SqlValue>& values) {
  for (const SqlValue& value : values) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text != nullptr && text->find('\0') != text->npos) {
      return MakeError(ErrorId::kInvalidName,
                       "a text for the catalog has a zero byte, which PostgreSQL cannot hold");
    }
  }
  const BoundValues bound(values);
  auto answer = Check(Answer(bound.Send(connection_.get(), sql)));
  const bool has_rested = std::exchange(rested_, false);
  if (answer.ok() || !has_rested || PQstatus(connection_.get()) != CONNECTION_BAD) return answer;
  PQreset(connection_.get());
  if (PQstatus(connection_.get()) != CONNECTION_OK) return ErrorOf(nullptr);
  HF_RETURN_IF_ERROR(SetUp());
  return Check(Answer(bound.Send(connection_.get(), sql)));
}

Status PostgresConnection::Query(std::string_view sql, const std::vector<SqlValue>& values,
                                 const std::function<Status(const SqlRow& row)>& visit) {
  HF_ASSIGN_OR_RETURN(const Answer answer, Send(WithNumberedParameters(sql), values));
  const int rows = PQntuples(answer.get());
  for (int row = 0; row < rows; ++row) HF_RETURN_IF_ERROR(visit(PostgresRow(answer.get(), row)));
  return Ok();
}

Result<int64_t> PostgresConnection::Execute(std::string_view sql,
                                            const std::vector<SqlValue>& values) {
  HF_ASSIGN_OR_RETURN(const Answer answer, Send(WithNumberedParameters(sql), values));
  const std::string_view count = PQcmdTuples(answer.get());  // empty: the statement has none
  int64_t changed = 0;
  std::from_chars(count.data(), count.data() + count.size(), changed);
  return changed;
}

Status PostgresConnection::ExecuteScript(const char* sql) {
  HF_RETURN_IF_ERROR(Check(Answer(PQexec(connection_.get(), sql))));
  return Ok();
}

Status PostgresConnection::Serialize(std::string_view name) {
  const std::string key = "holdfast: " + std::string(name);
  return Query("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", {key},
               [](const SqlRow&) { return Ok(); });
}

Status PostgresConnection::Transact(const std::function<Status()>& body) {
  for (int made = 1;; ++made) {
    Status status = TransactOnce(body);
    if (status.ok() || made == kTransactionsMax || !IsConflict(status.error())) return status;
  }
}

Status PostgresConnection::TransactOnce(const std::function<Status()>& body) {
  // Not the user's default: each statement is to see what was committed before it.
  HF_RETURN_IF_ERROR(Send("BEGIN ISOLATION LEVEL READ COMMITTED", {}));
  Status status = body();
  if (status.ok()) {
    const auto committed = Send("COMMIT", {});
    if (!committed.ok()) {
      status = committed.error();
    } else if (std::string_view(PQcmdStatus(committed->get())) != "COMMIT") {
      return MakeError(ErrorId::kCatalogUnavailable, "catalog: a transaction was taken back");
    } else {
      return Ok();
    }
  }
  // The first error is what matters; a connection on which this fails is not used again.
  const auto rolled_back = Send("ROLLBACK", {});
  static_cast<void>(rolled_back);
  return status;
}

bool PostgresConnection::IsUsable() const {
  return PQstatus(connection_.get()) == CONNECTION_OK &&
         PQtransactionStatus(connection_.get()) == PQTRANS_IDLE;
}

}  // namespace holdfast::catalog
