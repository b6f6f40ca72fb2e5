#include "catalog/sqlite_catalog.h"

#include <mutex>

#include "catalog/sqlite_database.h"
#include "catalog/sqlite_schema.h"

namespace holdfast::catalog {

namespace {

// The one connection, given to one thread at a time.
class SqliteStore final : public SqlStore {
 public:
  explicit SqliteStore(std::unique_ptr<SqliteDatabase> database) : database_(std::move(database)) {}

  Result<SqlLease> Take() override {
    mutex_.lock();
    return SqlLease(database_.get(), [this](SqlSession*) { mutex_.unlock(); });
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<SqliteDatabase> database_;
};

}  // namespace

Result<std::unique_ptr<SqliteCatalog>> SqliteCatalog::Open(const std::string& path,
                                                           const SqliteCatalogOptions& options) {
  HF_ASSIGN_OR_RETURN(auto database, SqliteDatabase::Open(path, options.busy_timeout_ms));
  HF_RETURN_IF_ERROR(PrepareSchema(*database, options.on_progress).WithContext(path));
  return std::unique_ptr<SqliteCatalog>(
      new SqliteCatalog(std::make_unique<SqliteStore>(std::move(database))));
}

}  // namespace holdfast::catalog
