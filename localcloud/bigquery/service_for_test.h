// A whole embedded BigQuery in a temporary directory, called through its router: for tests.
//
// Time stands still but for `clock.Advance`. `Restart` closes everything and opens it again, as a
// new process would. Not thread-safe, but `Call` is.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/virtual_clock.h"
#include "localcloud/bigquery/bigquery_service.h"

namespace holdfast::bigquery {

struct Answer {
  int status = 0;
  Json body;  // null when there is none
  net::Headers headers;

  // The reason of an error answer, or "".
  std::string reason() const;
  std::string message() const;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

class ServiceForTest {
 public:
  ServiceForTest();
  ~ServiceForTest();

  // `target`: the path after /bigquery/v2/projects/acme, with its query.
  Answer Call(const std::string& method, const std::string& target, const Json& body = nullptr,
              const HeaderList& headers = {});

  // `target`: the whole path with its query.
  Answer CallRaw(const std::string& method, const std::string& target, const std::string& body,
                 const HeaderList& headers = {});

  // The 200 answer of `Call`; anything else fails the test and gives null.
  Json Get(const std::string& target);
  Json Post(const std::string& target, const Json& body);

  // Creates dataset `id`; more members of its resource in `members`.
  void MakeDataset(const std::string& id, const Json& members = Json::object());

  // Creates a table with `fields` (a REST schema's) and more members of its resource.
  void MakeTable(const std::string& dataset, const std::string& id, const Json& fields,
                 const Json& members = Json::object());

  // Runs a job of `configuration` to its end; its resource.
  Json RunJob(const Json& configuration, const std::string& id = {});

  // The rows of a query as arrays of cells ("f"/"v" taken off); the error answer's reason and
  // message as one text when it fails.
  Json Query(const std::string& sql, const Json& more = Json::object());

  void MakeBucket(const std::string& name, const std::string& location = "US");
  void PutObject(const std::string& bucket, const std::string& name, const std::string& content);
  std::string ReadObject(const std::string& bucket, const std::string& name);
  std::vector<std::string> ListObjects(const std::string& bucket);

  void Restart();

  const std::string& directory() const { return directory_; }
  warehouse::Warehouse& warehouse() { return *warehouse_; }

  VirtualClock clock;

 private:
  void Open();
  void Close();

  std::string directory_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<warehouse::Warehouse> warehouse_;
  std::unique_ptr<storage::ObjectStore> objects_;
  std::unique_ptr<BigQueryService> service_;
  std::unique_ptr<rest::Router> router_;
};

// {"name": name, "type": type, "mode": mode}
Json FieldJson(const std::string& name, const std::string& type,
               const std::string& mode = "NULLABLE");

// {"projectId": "acme", "datasetId": dataset, "tableId": table}
Json TableJson(const std::string& dataset, const std::string& table);

// Cells of REST rows without "f" and "v": [["1", null], ...], nested ones likewise.
Json Plain(const Json& rows);

}  // namespace holdfast::bigquery
