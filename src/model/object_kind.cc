#include "model/object_kind.h"

#include <algorithm>
#include <array>

namespace holdfast {

namespace {

struct KindText {
  std::string_view name;
  std::string_view words;
};

constexpr std::array<KindText, 6> kKindTexts = {{
    {"table", "table"},
    {"view", "view"},
    {"materialized_view", "materialized view"},
    {"external_table", "external table"},
    {"routine", "routine"},
    {"dataset", "dataset"},
}};

}  // namespace

std::string_view ObjectKindName(ObjectKind kind) {
  return kKindTexts[static_cast<size_t>(kind)].name;
}

std::string_view ObjectKindWords(ObjectKind kind) {
  return kKindTexts[static_cast<size_t>(kind)].words;
}

std::optional<ObjectKind> FindObjectKind(std::string_view name) {
  const auto found = std::ranges::find(kKindTexts, name, &KindText::name);
  if (found == kKindTexts.end()) return std::nullopt;
  return static_cast<ObjectKind>(found - kKindTexts.begin());
}

std::optional<ObjectKind> ObjectKindOf(TableKind kind) {
  switch (kind) {
    case TableKind::kTable:
      return ObjectKind::kTable;
    case TableKind::kView:
      return ObjectKind::kView;
    case TableKind::kMaterializedView:
      return ObjectKind::kMaterializedView;
    case TableKind::kExternal:
      return ObjectKind::kExternal;
    case TableKind::kSnapshot:
    case TableKind::kUnknown:
      break;
  }
  return std::nullopt;
}

}  // namespace holdfast
