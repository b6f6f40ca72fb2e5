// The syntax tree of a GoogleSQL statement: queries, DML and DDL as written.
//
// Built by the parser; nothing is resolved yet. Plain values that own their children.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "localcloud/googlesql/plan.h"
#include "localcloud/googlesql/syntax.h"

namespace holdfast::googlesql {

struct OptionSyntax {
  Identifier name;
  ExpressionPtr value;
};

struct ColumnSyntax {
  Identifier name;
  TypeSyntax type;
  bool not_null = false;
  std::string default_sql;  // as written; empty: none
  std::vector<OptionSyntax> options;
};

struct QueryStatement {
  QueryPtr query;
};

struct CreateTableStatement {
  PathName table;
  IfExists if_exists = IfExists::kFail;
  std::vector<ColumnSyntax> columns;
  ExpressionPtr partition_by;
  std::vector<Identifier> cluster_by;
  std::vector<OptionSyntax> options;
  QueryPtr query;                // AS
  std::optional<PathName> like;  // LIKE
};

struct CopyTableStatement {
  CopyTablePlan::Kind kind = CopyTablePlan::Kind::kSnapshot;
  PathName table;
  IfExists if_exists = IfExists::kFail;
  PathName source;
  ExpressionPtr as_of;
  std::vector<OptionSyntax> options;
};

struct CreateViewStatement {
  PathName table;
  IfExists if_exists = IfExists::kFail;
  std::vector<ColumnSyntax> columns;  // names and options only
  std::vector<OptionSyntax> options;
  QueryPtr query;
  std::string query_sql;
};

struct CreateSchemaStatement {
  PathName schema;
  bool if_not_exists = false;
  std::vector<OptionSyntax> options;
};

struct DropStatement {
  DropPlan::Kind kind = DropPlan::Kind::kTable;
  PathName name;
  bool if_exists = false;
  bool cascade = false;
};

struct SetOptionsStatement {
  SetOptionsPlan::Kind kind = SetOptionsPlan::Kind::kTable;
  PathName name;
  bool if_exists = false;
  std::vector<OptionSyntax> options;
};

struct AddColumnsStatement {
  PathName table;
  bool if_exists = false;
  struct Item {
    bool if_not_exists = false;
    ColumnSyntax column;
  };
  std::vector<Item> items;
};

struct InsertStatement {
  PathName table;
  std::vector<Identifier> columns;               // empty: all
  std::vector<std::vector<ExpressionPtr>> rows;  // VALUES; a null expression is DEFAULT
  QueryPtr query;
};

struct UpdateStatement {
  PathName table;
  std::optional<Identifier> alias;
  std::vector<std::pair<std::vector<Identifier>, ExpressionPtr>> assignments;  // null: DEFAULT
  FromItemPtr from;
  ExpressionPtr where;
};

struct DeleteStatement {
  PathName table;
  std::optional<Identifier> alias;
  ExpressionPtr where;
};

struct TruncateStatement {
  PathName table;
};

struct Statement {
  Position position;
  std::variant<QueryStatement, CreateTableStatement, CopyTableStatement, CreateViewStatement,
               CreateSchemaStatement, DropStatement, SetOptionsStatement, AddColumnsStatement,
               InsertStatement, UpdateStatement, DeleteStatement, TruncateStatement>
      node;
};

}  // namespace holdfast::googlesql
