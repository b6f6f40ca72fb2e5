// A repository of any number of manifests that holds none of them: their names are computed, as
// SyntheticWarehouse computes tables. One backup of each partition, or of each plain table.
//
// `calls` counts what a service would be asked. Reads only. Thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <string>

#include "cloud/object_store.h"
#include "repository/layout.h"
#include "tests/support/synthetic_warehouse.h"

namespace holdfast::bench {

class SyntheticManifests final : public cloud::ObjectStore {
 public:
  SyntheticManifests(const testing_support::SyntheticSize& size,
                     const testing_support::SyntheticWarehouse& warehouse)
      : size_(size), warehouse_(warehouse) {}

  std::atomic<int64_t> calls = 0;

  static std::string BackupOf(const TableRef& object) {
    return "b-" + object.dataset + "-" + object.table + "-" + object.partition;
  }

  // The object of that number in its dataset.
  TableRef ObjectOf(const DatasetRef& dataset, int64_t number) const {
    const int64_t each = std::max<int64_t>(size_.partitions, 1);
    if (size_.partitions > 0) {
      return warehouse_.PartitionOf(dataset, number / each, number % each).ref;
    }
    return warehouse_.SummaryOf(dataset, number).ref;
  }

  Result<cloud::Page<cloud::ObjectInfo>> ListObjects(const std::string& bucket,
                                                     const std::string& prefix,
                                                     const std::string& page_token) override {
    return ListObjectsFrom(bucket, prefix, prefix, page_token);
  }

  Result<cloud::Page<cloud::ObjectInfo>> ListObjectsFrom(const std::string& bucket,
                                                         const std::string& prefix,
                                                         const std::string& start,
                                                         const std::string& page_token) override {
    constexpr int64_t kNamesPerPage = 1'000;
    ++calls;
    cloud::Page<cloud::ObjectInfo> page;
    const std::string path = prefix.substr(0, prefix.size() - 1);
    const DatasetRef dataset{size_.project, path.substr(path.rfind('/') + 1)};
    const int64_t each = std::max<int64_t>(size_.partitions, 1);
    int64_t at = 0;
    if (!page_token.empty()) {
      at = std::stoll(page_token);
    } else if (start.size() > prefix.size() + 1) {
      at = std::stoll(start.substr(prefix.size() + 1)) * each;
    }
    const int64_t end = std::min(at + kNamesPerPage, size_.tables * each);
    for (; at < end; ++at) {
      const TableRef object = ObjectOf(dataset, at);
      cloud::ObjectInfo info;
      info.ref = {bucket, repository::ManifestName("", object, BackupOf(object)), 1};
      page.items.push_back(std::move(info));
    }
    if (at < size_.tables * each) page.next_page_token = std::to_string(at);
    return page;
  }

  Status ReadObject(const cloud::ObjectRef& /*object*/, int64_t /*offset*/, int64_t /*length*/,
                    const ByteSink& sink) override {
    ++calls;
    return sink(R"({"format":"holdfast-repository","format_version":1,"id":"0123456789abcdef"})");
  }
  Result<std::optional<cloud::ObjectInfo>> StatObject(const cloud::ObjectRef& object) override {
    ++calls;
    return std::optional(cloud::ObjectInfo{.ref = object});
  }

  Result<cloud::BucketInfo> GetBucket(const std::string& /*bucket*/) override { return ReadOnly(); }
  Result<cloud::BucketInfo> EnsureBucket(const cloud::BucketInfo& /*bucket*/) override {
    return ReadOnly();
  }
  Result<cloud::ObjectInfo> CreateObject(const cloud::ObjectRef& /*object*/, int64_t /*size*/,
                                         const std::function<ByteSource()>& /*open*/) override {
    return ReadOnly();
  }
  Result<cloud::ObjectInfo> CopyObject(const cloud::ObjectRef& /*source*/,
                                       const cloud::ObjectRef& /*destination*/) override {
    return ReadOnly();
  }
  Status DeleteObject(const cloud::ObjectRef& /*object*/) override { return ReadOnly(); }

 private:
  static Error ReadOnly() {
    return MakeError(ErrorId::kServiceRejected, "synthetic manifests are read only");
  }

  testing_support::SyntheticSize size_;
  const testing_support::SyntheticWarehouse& warehouse_;
};

}  // namespace holdfast::bench
