#include "cloud/object_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace holdfast::cloud {

Result<Page<ObjectInfo>> ObjectStore::ListObjectsFrom(const std::string& bucket,
                                                      const std::string& prefix,
                                                      const std::string& start,
                                                      const std::string& page_token) {
  HF_ASSIGN_OR_RETURN(Page<ObjectInfo> page, ListObjects(bucket, prefix, page_token));
  std::erase_if(page.items, [&](const ObjectInfo& object) { return object.ref.name < start; });
  return page;
}

Result<ObjectInfo> CreateObjectFromString(ObjectStore& store, const ObjectRef& object,
                                          const std::string& content) {
  const auto open = [&content]() -> ByteSource {
    auto at = std::make_shared<size_t>(0);
    return [&content, at](std::span<char> buffer) -> Result<size_t> {
      const size_t count = std::min(buffer.size(), content.size() - *at);
      std::copy_n(content.data() + *at, count, buffer.data());
      *at += count;
      return count;
    };
  };
  return store.CreateObject(object, static_cast<int64_t>(content.size()), open);
}

Result<std::string> ReadObjectToString(ObjectStore& store, const ObjectRef& object,
                                       int64_t size_bytes_max) {
  std::string content;
  const ByteSink sink = [&](std::string_view bytes) -> Status {
    if (content.size() + bytes.size() > static_cast<size_t>(size_bytes_max)) {
      return MakeError(
          ErrorId::kLimitExceeded,
          fmt::format("{} is larger than the {} bytes expected", object.Uri(), size_bytes_max));
    }
    content.append(bytes);
    return Ok();
  };
  HF_RETURN_IF_ERROR(store.ReadObject(object, 0, -1, sink));
  return content;
}

}  // namespace holdfast::cloud
