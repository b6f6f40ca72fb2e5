#include "localcloud/googlesql/table_paths.h"

#include "localcloud/googlesql/parser.h"

namespace holdfast::googlesql {

Result<std::vector<TablePath>> ListTablePaths(std::string_view sql) {
  HF_ASSIGN_OR_RETURN(const ParsedStatement parsed, ParseStatement(sql));
  std::vector<TablePath> paths;
  for (const PathName& name : parsed.table_paths) {
    TablePath path{{}, name.position, name.size_bytes};
    for (const Identifier& part : name.parts) path.parts.push_back(part.text);
    paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace holdfast::googlesql
