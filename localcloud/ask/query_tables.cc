#include "localcloud/ask/query_tables.h"

#include "localcloud/ask/pruning.h"

namespace holdfast::ask {

namespace {

Error NotInBackups(const std::string& what) {
  return MakeError(ErrorId::kUnsupportedQuery, what + " cannot be asked of backups",
                   "Name the tables themselves; `holdfast backup list` and `holdfast backup show` "
                   "tell of backups what INFORMATION_SCHEMA tells of tables");
}

}  // namespace

Result<googlesql::ResolvedTable> QueryTables::Resolve(const googlesql::RelationRef& ref) {
  if (ref.kind != googlesql::RelationKind::kTable) return NotInBackups("A metadata view");
  if (ref.table.table.ends_with('*')) return NotInBackups("A wildcard of tables");
  const Key key{ref.table, ref.as_of_ms};
  auto known = tables_.find(key);
  if (known == tables_.end()) {
    HF_ASSIGN_OR_RETURN(AskedTable found, find_(ref.table, ref.as_of_ms));
    known = tables_.emplace(key, std::make_shared<const AskedTable>(std::move(found))).first;
  }
  const AskedTable& table = *known->second;
  googlesql::ResolvedTable resolved;
  resolved.schema = table.schema;
  resolved.view_sql = table.view_sql;
  const Schema all = ScanSchema(table, /*with_pseudo_columns=*/true);
  resolved.pseudo_columns.assign(
      all.fields.begin() + static_cast<std::ptrdiff_t>(table.schema.fields.size()),
      all.fields.end());
  return resolved;
}

std::vector<warehouse::Binding> QueryTables::Bind(const std::vector<googlesql::Relation>& relations,
                                                  bool prunes) {
  std::vector<warehouse::Binding> bindings;
  for (const googlesql::Relation& relation : relations) {
    const auto table = tables_.at({relation.ref.table, relation.ref.as_of_ms});
    std::vector<std::string> kept;
    for (const std::string& partition : table->partitions) {
      if (!prunes || MayHold(table->partitioning, partition, relation.bounds)) {
        kept.push_back(partition);
      }
    }
    warehouse::SourceBinding source = BindParts(
        table, std::move(kept), ScanSchema(*table, relation.with_pseudo_columns), counter_);
    bindings.push_back({.name = relation.name, .relation = std::move(source)});
  }
  return bindings;
}

AskStatistics QueryTables::Statistics() const {
  AskStatistics statistics;
  for (const auto& [key, table] : tables_) {
    statistics.partitions += static_cast<int64_t>(table->partitions.size());
  }
  counter_.AddTo(statistics);
  return statistics;
}

}  // namespace holdfast::ask
