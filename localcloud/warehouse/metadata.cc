#include "localcloud/warehouse/metadata.h"

#include <algorithm>

namespace holdfast::warehouse {

std::string_view TableKindName(TableKind kind) {
  switch (kind) {
    case TableKind::kTable:
      return "TABLE";
    case TableKind::kView:
      return "VIEW";
    case TableKind::kMaterializedView:
      return "MATERIALIZED_VIEW";
    case TableKind::kExternal:
      return "EXTERNAL";
    case TableKind::kSnapshot:
      break;
  }
  return "SNAPSHOT";
}

const Schema& TableSnapshot::SchemaOf(const DataFile& file) const {
  const auto found =
      std::ranges::find(file_schemas, file.schema_key, &std::pair<int64_t, Schema>::first);
  CHECK(found != file_schemas.end(), "a file's schema is part of its snapshot");
  return found->second;
}

}  // namespace holdfast::warehouse
