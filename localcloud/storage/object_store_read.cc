// Reading of objects: one by name, its bytes, listings with folding, and wildcards.
#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

#include "localcloud/storage/object_rules.h"
#include "localcloud/storage/object_store_state.h"

namespace holdfast::storage {
namespace {

constexpr int kObjectPageMax = 1000;

// Where a listing goes on: at the first row whose (name, generation) is not below this.
struct Position {
  std::string name;
  int64_t generation = 0;
};

std::string EncodePosition(const Position& position) {
  return std::to_string(position.generation) + ":" + position.name;
}

Result<Position> DecodePosition(const std::string& text) {
  const size_t colon = text.find(':');
  const std::string digits = text.substr(0, colon);
  if (colon == std::string::npos || digits.empty() || digits.size() > 18 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return StorageInvalid("the page token is not one that a listing gave");
  }
  return Position{.name = text.substr(colon + 1), .generation = std::stoll(digits)};
}

// The folded prefix that `name` belongs to; nullopt when the object itself is listed.
std::optional<std::string> FoldedPrefix(const ObjectQuery& query, const std::string& name) {
  if (query.delimiter.empty()) return std::nullopt;
  const size_t at = name.find(query.delimiter, query.prefix.size());
  if (at == std::string::npos) return std::nullopt;
  return name.substr(0, at + query.delimiter.size());
}

// Collects one page: rows go in by ascending position until Full or Done.
class PageBuilder {
 public:
  explicit PageBuilder(const ObjectQuery& query)
      : query_(query), limit_(static_cast<size_t>(std::clamp(query.limit, 1, kObjectPageMax))) {}

  enum class Next { kRow, kSkipPrefix, kEnd };

  // Takes one row. kSkipPrefix: every row that begins with skipped() is accounted for.
  Next Take(ObjectRecord object) {
    if (!object.name.starts_with(query_.prefix)) return Next::kEnd;
    if (!query_.end_offset.empty() && object.name >= query_.end_offset) return Next::kEnd;
    if (object.deleted && !query_.versions) return Next::kRow;
    const auto folded = FoldedPrefix(query_, object.name);
    const bool listed = !folded || (query_.include_trailing_delimiter && *folded == object.name);
    const size_t wanted = (listed ? 1 : 0) + (folded && *folded != last_prefix_ ? 1 : 0);
    if (page_.objects.size() + page_.prefixes.size() + wanted > limit_ && !Empty()) {
      page_.next = EncodePosition({object.name, object.generation});
      return Next::kEnd;
    }
    if (folded && *folded != last_prefix_) {
      page_.prefixes.push_back(*folded);
      last_prefix_ = *folded;
    }
    if (listed) {
      page_.objects.push_back(std::move(object));
      return Next::kRow;
    }
    return Next::kSkipPrefix;
  }

  const std::string& skipped() const { return last_prefix_; }
  ObjectPage Finish() && { return std::move(page_); }

 private:
  bool Empty() const { return page_.objects.empty() && page_.prefixes.empty(); }

  const ObjectQuery& query_;
  const size_t limit_;
  ObjectPage page_;
  std::string last_prefix_;
};

// Where the listing begins: the page position, or the greater of prefix and start offset.
Result<Position> FirstPosition(const ObjectQuery& query) {
  if (query.after.empty()) return Position{.name = std::max(query.prefix, query.start_offset)};
  return DecodePosition(query.after);
}

}  // namespace

Result<ObjectRecord> ObjectStore::GetObject(const ObjectSelector& object,
                                            const Preconditions& conditions) {
  const std::lock_guard lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(ObjectRecord record, state_->FindObject(object));
  HF_RETURN_IF_ERROR(CheckReadConditions(conditions, record));
  return record;
}

Result<ObjectFile> ObjectStore::OpenObject(const ObjectSelector& object,
                                           const Preconditions& conditions) {
  // Found and pinned under one lock, so that no delete comes between.
  const std::lock_guard lock(state_->mutex);
  HF_ASSIGN_OR_RETURN(ObjectRecord record, state_->FindObject(object));
  HF_RETURN_IF_ERROR(CheckReadConditions(conditions, record));
  std::string path = state_->blobs->PathOf(record.blob);
  // Lost or cut below us: no later try will find the bytes, so a client must not take the service
  // for one that is busy.
  std::error_code error;
  const auto size_bytes = std::filesystem::file_size(path, error);
  if (error || static_cast<int64_t>(size_bytes) != record.size_bytes) {
    return StorageNotFound("the data of " + object.bucket + "/" + object.name);
  }
  BlobPin pin = state_->blobs->Pin(record.blob);
  return ObjectFile{.record = std::move(record), .path = std::move(path), .pin = std::move(pin)};
}

Result<ObjectPage> ObjectStore::ListObjects(const ObjectQuery& query) {
  HF_ASSIGN_OR_RETURN(Position position, FirstPosition(query));
  const std::lock_guard lock(state_->mutex);
  HF_RETURN_IF_ERROR(state_->FindBucket(query.bucket));
  PageBuilder builder(query);
  // Each round reads on until a folded prefix makes it worth to jump past all names below it.
  for (;;) {
    HF_ASSIGN_OR_RETURN(sqlite::Statement rows,
                        state_->objects.Scan(query.bucket, position.name, position.generation));
    PageBuilder::Next next = PageBuilder::Next::kRow;
    while (next == PageBuilder::Next::kRow) {
      HF_ASSIGN_OR_RETURN(const bool row, rows.Step());
      if (!row) return std::move(builder).Finish();
      HF_ASSIGN_OR_RETURN(ObjectRecord object, ObjectRecords::ReadRow(rows));
      next = builder.Take(std::move(object));
    }
    const auto beyond = AfterPrefix(builder.skipped());
    if (next == PageBuilder::Next::kEnd || !beyond) return std::move(builder).Finish();
    position = {.name = *beyond};
  }
}

Result<std::vector<ObjectRecord>> ObjectStore::MatchObjects(const std::string& bucket,
                                                            const std::string& pattern,
                                                            size_t limit) {
  ObjectQuery query{.bucket = bucket, .prefix = pattern.substr(0, pattern.find('*'))};
  std::vector<ObjectRecord> matches;
  for (;;) {
    HF_ASSIGN_OR_RETURN(ObjectPage page, ListObjects(query));
    for (ObjectRecord& object : page.objects) {
      if (!MatchesWildcard(pattern, object.name)) continue;
      if (matches.size() == limit) {
        return MakeError(ErrorId::kLimitExceeded, "gs://" + bucket + "/" + pattern +
                                                      " matches more than " +
                                                      std::to_string(limit) + " objects");
      }
      matches.push_back(std::move(object));
    }
    if (page.next.empty()) return matches;
    query.after = page.next;
  }
}

}  // namespace holdfast::storage
