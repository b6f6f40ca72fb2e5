// The tables that one query names: found once each, and bound to what they are pruned to.
//
// Answers the translator's questions about names and then makes sources of the relations. One
// thread; the sources may be read by any, for as long as this lives.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "localcloud/ask/asked_table.h"
#include "localcloud/ask/table_scan.h"
#include "localcloud/googlesql/plan.h"
#include "localcloud/googlesql/translate.h"
#include "localcloud/warehouse/query.h"

namespace holdfast::ask {

class QueryTables {
 public:
  // `find` must outlive this.
  explicit QueryTables(const TableFinder& find) : find_(find) {}

  // The schema of a table, or the text of a view. Errors: kUnsupportedQuery for metadata views and
  // wildcards, the finder's.
  Result<googlesql::ResolvedTable> Resolve(const googlesql::RelationRef& ref);

  // The relations as sources, of the partitions that their bounds let pass, or of all.
  std::vector<warehouse::Binding> Bind(const std::vector<googlesql::Relation>& relations,
                                       bool prunes);

  // What was bound and read.
  AskStatistics Statistics() const;

 private:
  using Key = std::pair<TableRef, std::optional<int64_t>>;

  const TableFinder& find_;
  std::map<Key, std::shared_ptr<const AskedTable>> tables_;
  ReadCounter counter_;
};

}  // namespace holdfast::ask
