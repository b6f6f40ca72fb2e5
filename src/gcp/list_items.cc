#include "gcp/list_items.h"

#include <fmt/format.h>

namespace holdfast::gcp {

Result<std::span<const Json>> ListItems(const Json& page, std::string_view key) {
  if (!page.is_object()) return MakeError(ErrorId::kInvalidJson, "a page is not an object");
  const Json* items = FindField(page, key);
  if (items == nullptr) return std::span<const Json>();
  if (!items->is_array()) {
    return MakeError(ErrorId::kInvalidJson, fmt::format("the field \"{}\" is not a list", key));
  }
  return std::span<const Json>(items->get_ref<const Json::array_t&>());
}

}  // namespace holdfast::gcp
