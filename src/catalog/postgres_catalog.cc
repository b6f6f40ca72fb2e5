#include "catalog/postgres_catalog.h"

#include <condition_variable>
#include <mutex>
#include <vector>

#include "catalog/postgres_schema.h"

namespace holdfast::catalog {

namespace {

// A bounded number of connections, made when first needed.
class PostgresStore final : public SqlStore {
 public:
  explicit PostgresStore(PostgresCatalogOptions options) : options_(std::move(options)) {}

  Result<SqlLease> Take() override {
    std::unique_ptr<PostgresConnection> connection;
    {
      std::unique_lock lock(mutex_);
      returned_.wait(lock, [&] { return taken_ < options_.connections_max; });
      ++taken_;
      if (!waiting_.empty()) {
        connection = std::move(waiting_.back());
        waiting_.pop_back();
      }
    }
    if (connection == nullptr) {
      auto opened = PostgresConnection::Open(options_.target);
      if (!opened.ok()) {
        Return(nullptr);
        return opened.error();
      }
      connection = *std::move(opened);
    }
    return SqlLease(connection.release(), [this](SqlSession* session) {
      Return(std::unique_ptr<PostgresConnection>(static_cast<PostgresConnection*>(session)));
    });
  }

 private:
  // Keeps the connection for the next, unless it is lost or nullptr.
  void Return(std::unique_ptr<PostgresConnection> connection) {
    {
      const std::lock_guard lock(mutex_);
      --taken_;
      if (connection != nullptr && connection->IsUsable()) {
        connection->Rest();
        waiting_.push_back(std::move(connection));
      }
    }
    returned_.notify_one();
  }

  const PostgresCatalogOptions options_;
  std::mutex mutex_;
  std::condition_variable returned_;
  int taken_ = 0;
  std::vector<std::unique_ptr<PostgresConnection>> waiting_;
};

}  // namespace

Result<std::unique_ptr<PostgresCatalog>> PostgresCatalog::Open(
    const PostgresCatalogOptions& options) {
  HF_ASSIGN_OR_RETURN(const auto connection, PostgresConnection::Open(options.target));
  HF_RETURN_IF_ERROR(PreparePostgresSchema(*connection));
  return std::unique_ptr<PostgresCatalog>(
      new PostgresCatalog(std::make_unique<PostgresStore>(options)));
}

}  // namespace holdfast::catalog
