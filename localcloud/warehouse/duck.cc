#include "localcloud/warehouse/duck.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "localcloud/warehouse/batch_source.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/row_source.h"

namespace holdfast::warehouse {

namespace {

// DuckDB's kind of error ("Conversion Error: ") says nothing to whoever wrote GoogleSQL. What the
// translator raises on purpose is text in a cast that fails: "... 'BigQuery: message' to INT64
// ...".
std::string WithoutDuckWords(std::string text) {
  constexpr std::string_view kRaised = "BigQuery: ";
  if (const size_t raised = text.find(kRaised); raised != text.npos) {
    text.erase(0, raised + kRaised.size());
    return text.substr(0, text.rfind('\''));
  }
  const size_t end = text.find(" Error: ");
  if (end != text.npos && text.find_first_of(":\"'\n") > end) text.erase(0, end + 8);
  return text;
}

}  // namespace

Error DuckError(const char* message, duckdb_error_type type) {
  std::string text = message == nullptr ? "unknown error" : message;
  // What follows quotes SQL that the user did not write.
  text.resize(std::min(text.find("\n\nLINE "), text.size()));
  if (text.find("No space left on device") != text.npos ||
      text.find("max_temp_directory_size") != text.npos) {
    return MakeError(ErrorId::kDiskFull, text);
  }
  if (type == DUCKDB_ERROR_INTERRUPT || text.starts_with("INTERRUPT")) {
    return WithReason("stopped", MakeError(ErrorId::kCancelled, "The job was cancelled"));
  }
  const bool out_of_memory = text.starts_with("Out of Memory");
  return WithReason(out_of_memory ? "resourcesExceeded" : "invalidQuery",
                    MakeError(ErrorId::kQueryFailed, WithoutDuckWords(std::move(text))));
}

DuckResult::DuckResult() = default;
DuckResult::~DuckResult() { duckdb_destroy_result(&result_); }
DuckResult::DuckResult(DuckResult&& other) noexcept
    : result_(std::exchange(other.result_, duckdb_result{})) {}

Result<DuckChunk> DuckResult::Fetch() {
  DuckChunk chunk(duckdb_fetch_chunk(result_));
  if (chunk.get() == nullptr) {
    const char* message = duckdb_result_error(&result_);
    if (message != nullptr && *message != '\0') {
      return DuckError(message, duckdb_result_error_type(&result_));
    }
  }
  return chunk;
}

bool DuckStatement::is_select() const {
  return duckdb_prepared_statement_type(statement_.get()) == DUCKDB_STATEMENT_TYPE_SELECT;
}

size_t DuckStatement::column_count() const {
  return duckdb_prepared_statement_column_count(statement_.get());
}

std::string DuckStatement::column_name(size_t index) const {
  const char* name = duckdb_prepared_statement_column_name(statement_.get(), index);
  std::string text = name == nullptr ? "" : name;
  duckdb_free(const_cast<char*>(name));
  return text;
}

DuckLogicalType DuckStatement::column_type(size_t index) const {
  return DuckLogicalType(duckdb_prepared_statement_column_logical_type(statement_.get(), index));
}

Status DuckStatement::Bind(const std::string& name, const std::optional<std::string>& value) {
  idx_t position = 0;
  if (duckdb_bind_parameter_index(statement_.get(), &position, name.c_str()) != DuckDBSuccess) {
    return WithReason(
        "invalidQuery",
        MakeError(ErrorId::kQueryFailed,
                  fmt::format("Query parameter '{}' is not used in the query", name)));
  }
  return Bind(position, value);
}

Status DuckStatement::Bind(size_t position, const std::optional<std::string>& value) {
  const duckdb_state state =
      value ? duckdb_bind_varchar_length(statement_.get(), position, value->data(), value->size())
            : duckdb_bind_null(statement_.get(), position);
  if (state == DuckDBSuccess) return Ok();
  return DuckError(duckdb_prepare_error(statement_.get()), DUCKDB_ERROR_INVALID);
}

Result<DuckResult> DuckStatement::Run(const std::stop_token& cancel) {
  const std::stop_callback stop(cancel, [this] { duckdb_interrupt(connection_); });
  if (cancel.stop_requested()) return DuckError("INTERRUPT", DUCKDB_ERROR_INTERRUPT);
  DuckResult result;
  if (duckdb_execute_prepared(statement_.get(), result.get()) == DuckDBSuccess) return result;
  return DuckError(duckdb_result_error(result.get()), duckdb_result_error_type(result.get()));
}

Result<DuckResult> DuckStatement::Stream() {
  DuckHandle<duckdb_pending_result, duckdb_destroy_pending> pending;
  if (duckdb_pending_prepared_streaming(statement_.get(), pending.out()) != DuckDBSuccess) {
    return DuckError(duckdb_pending_error(pending.get()), DUCKDB_ERROR_INVALID);
  }
  DuckResult result;
  if (duckdb_execute_pending(pending.get(), result.get()) == DuckDBSuccess) return result;
  return DuckError(duckdb_result_error(result.get()), duckdb_result_error_type(result.get()));
}

Result<DuckStatement> Connection::Prepare(const std::string& sql) {
  DuckStatement statement(connection_.get());
  if (duckdb_prepare(connection_.get(), sql.c_str(), statement.statement_.out()) != DuckDBSuccess) {
    return DuckError(duckdb_prepare_error(statement.statement_.get()), DUCKDB_ERROR_INVALID);
  }
  return statement;
}

Status Connection::Execute(const std::string& sql, const std::stop_token& cancel) {
  HF_ASSIGN_OR_RETURN(DuckStatement statement, Prepare(sql));
  HF_RETURN_IF_ERROR(statement.Run(cancel));
  return Ok();
}

Status Connection::Register(duckdb_table_function function) {
  if (duckdb_register_table_function(connection_.get(), function) == DuckDBSuccess) return Ok();
  return MakeError(ErrorId::kWarehouseStorage, "DuckDB refuses a table function");
}

Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::Open(const DatabaseOptions& options) {
  std::unique_ptr<Database> database(new Database);
  HF_RETURN_IF_ERROR(database->Configure(options));
  return database;
}

Status Database::Configure(const DatabaseOptions& options) {
  DuckHandle<duckdb_config, duckdb_destroy_config> config;
  duckdb_create_config(config.out());
  const auto set = [&](const char* name, const std::string& value) {
    CHECK(duckdb_set_config(config.get(), name, value.c_str()) == DuckDBSuccess, name);
  };
  if (options.threads > 0) set("threads", std::to_string(options.threads));
  set("memory_limit", fmt::format("{}B", options.memory_bytes_max));
  set("temp_directory", options.spill_directory);
  set("max_temp_directory_size", fmt::format("{}B", options.spill_bytes_max));
  set("autoinstall_known_extensions", "false");
  set("autoload_known_extensions", "false");
  set("allow_community_extensions", "false");
  char* message = nullptr;
  if (duckdb_open_ext(nullptr, database_.out(), config.get(), &message) != DuckDBSuccess) {
    Error error =
        MakeError(ErrorId::kWarehouseStorage, fmt::format("DuckDB does not start: {}", message));
    duckdb_free(message);
    return error;
  }
  HF_ASSIGN_OR_RETURN(Connection connection, Connect());
  std::string directories;
  for (const std::string& directory : options.directories) {
    directories += (directories.empty() ? "" : ", ") + QuoteLiteral(directory);
  }
  HF_RETURN_IF_ERROR(RegisterBatchFunction(*this, connection));
  HF_RETURN_IF_ERROR(RegisterRowFunction(*this, connection));
  HF_RETURN_IF_ERROR(connection.Execute("SET GLOBAL TimeZone = 'UTC'"));
  HF_RETURN_IF_ERROR(
      connection.Execute(fmt::format("SET GLOBAL allowed_directories = [{}]", directories)));
  HF_RETURN_IF_ERROR(connection.Execute("SET GLOBAL enable_external_access = false"));
  return connection.Execute("SET GLOBAL lock_configuration = true");
}

Result<Connection> Database::Connect() {
  Connection connection;
  if (duckdb_connect(database_.get(), connection.connection_.out()) != DuckDBSuccess) {
    return MakeError(ErrorId::kWarehouseStorage, "DuckDB gives no connection");
  }
  return connection;
}

Result<std::vector<TextRow>> ReadTextRows(Connection& connection, const std::string& sql,
                                          const std::stop_token& cancel) {
  HF_ASSIGN_OR_RETURN(DuckStatement statement, connection.Prepare(sql));
  HF_ASSIGN_OR_RETURN(DuckResult result, statement.Run(cancel));
  std::vector<TextRow> rows;
  while (true) {
    HF_ASSIGN_OR_RETURN(const DuckChunk chunk, result.Fetch());
    if (chunk.get() == nullptr) return rows;
    const size_t first = rows.size();
    const size_t count = duckdb_data_chunk_get_size(chunk.get());
    const size_t columns = duckdb_data_chunk_get_column_count(chunk.get());
    rows.resize(first + count, TextRow(columns));
    for (size_t column = 0; column < columns; ++column) {
      const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.get(), column);
      const auto* texts = static_cast<const duckdb_string_t*>(duckdb_vector_get_data(vector));
      uint64_t* validity = duckdb_vector_get_validity(vector);
      for (size_t row = 0; row < count; ++row) {
        if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) continue;
        rows[first + row][column] = std::string(TextOf(texts[row]));
      }
    }
  }
}

}  // namespace holdfast::warehouse
