#include "localcloud/ask/row_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "avro/cell_json.h"
#include "localcloud/ask/table_scan.h"
#include "localcloud/googlesql/words.h"
#include "localcloud/warehouse/identifier.h"
#include "localcloud/warehouse/query.h"

namespace holdfast::ask {

namespace {

using googlesql::SameWord;
using warehouse::QuoteIdentifier;

bool HoldsSame(const Field& left, const Field& right);

bool HoldSame(const std::vector<Field>& left, const std::vector<Field>& right) {
  return std::ranges::equal(left, right, HoldsSame);
}

// Whether values of the two fields can be compared.
bool HoldsSame(const Field& left, const Field& right) {
  return SameWord(left.name, right.name) && left.type == right.type &&
         (left.mode == FieldMode::kRepeated) == (right.mode == FieldMode::kRepeated) &&
         left.range_element_type == right.range_element_type && HoldSame(left.fields, right.fields);
}

bool Contains(const std::vector<Field>& fields, const Field& field) {
  return std::ranges::find(fields, field) != fields.end();
}

Error KeyError(std::string message) { return MakeError(ErrorId::kKeyUnusable, std::move(message)); }

// The columns to compare: those of the key first, as they are in both tables.
struct Compared {
  std::vector<Field> key;
  std::vector<Field> others;
};

Result<Compared> ColumnsOf(const RowDiffRequest& request) {
  const Schema before = ScanSchema(request.before, false);
  const Schema after = ScanSchema(request.after, false);
  const auto in_both = [&](const Field& field) {
    const Field* other = before.Find(field.name);
    return other != nullptr && HoldsSame(field, *other);
  };
  Compared compared;
  for (const std::string& name : request.key) {
    const Field* field = after.Find(name);
    if (field == nullptr || !in_both(*field)) {
      return KeyError(fmt::format("\"{}\" is not a column of both with the same type", name));
    }
    if (field->type == FieldType::kRecord || field->mode == FieldMode::kRepeated) {
      return KeyError(fmt::format("column \"{}\" is a record or a list", name));
    }
    if (Contains(compared.key, *field)) {
      return KeyError(fmt::format("\"{}\" is named twice", name));
    }
    compared.key.push_back(*field);
  }
  for (const Field& field : after.fields) {
    if (in_both(field) && !Contains(compared.key, field)) {
      compared.others.push_back(field);
    }
  }
  return compared;
}

// `"name" AS k0, ...` of a table's columns.
std::string Renamed(const std::vector<Field>& fields, char letter) {
  std::string sql;
  for (size_t i = 0; i < fields.size(); ++i) {
    sql += fmt::format("{} AS {}{}, ", QuoteIdentifier(fields[i].name), letter, i);
  }
  return sql;
}

// "k0, k1": a list of places, each written as `form`.
std::string Places(size_t count, fmt::format_string<size_t&> form, std::string_view between) {
  std::string sql;
  for (size_t i = 0; i < count; ++i) {
    sql += (i == 0 ? "" : std::string(between)) + fmt::format(form, i);
  }
  return sql;
}

// "2, 3": columns by their places in the result.
std::string Ordinals(size_t first, size_t count) {
  std::string sql;
  for (size_t i = 0; i < count; ++i) {
    sql += (i == 0 ? "" : ", ") + std::to_string(first + i);
  }
  return sql;
}

// A full join by key. Rows whose key is not alone in their table are let through, to be refused.
std::string KeyedSql(const Compared& compared) {
  const size_t keys = compared.key.size();
  const size_t others = compared.others.size();
  const std::string keys_list = Places(keys, "k{}", ", ");
  const auto side = [&](const char* name) {
    return fmt::format(
        "(SELECT *, row_number() OVER (PARTITION BY {}) AS number FROM (SELECT {}{}true "
        "AS here FROM {}))",
        keys_list, Renamed(compared.key, 'k'), Renamed(compared.others, 'c'),
        QuoteIdentifier(name));
  };
  std::string columns = Places(keys, "coalesce(l.k{0}, r.k{0}) AS k{0}", ", ");
  if (others > 0) {
    columns += ", " + Places(others, "l.c{0} AS l{0}", ", ") + ", " +
               Places(others, "r.c{0} AS r{0}", ", ");
  }
  const std::string differs =
      others == 0 ? "" : " OR " + Places(others, "l.c{0} IS DISTINCT FROM r.c{0}", " OR ");
  return fmt::format(
      "SELECT CASE WHEN coalesce(l.number, 0) > 1 OR coalesce(r.number, 0) > 1 THEN 3 WHEN l.here "
      "IS NULL THEN 0 WHEN r.here IS NULL THEN 1 ELSE 2 END AS kind, {} FROM {} AS l FULL JOIN {} "
      "AS r ON {} WHERE l.here IS NULL OR r.here IS NULL OR l.number > 1 OR r.number > 1{} "
      "ORDER BY {}",
      columns, side("before"), side("after"),
      Places(keys, "l.k{0} IS NOT DISTINCT FROM r.k{0}", " AND "), differs, Ordinals(2, keys));
}

// How much more often each row is in one than in the other.
std::string WholeSql(const Compared& compared) {
  const auto side = [&](const char* name, int sign) {
    return fmt::format("SELECT {}{} AS n FROM {}", Renamed(compared.others, 'c'), sign,
                       QuoteIdentifier(name));
  };
  const std::string columns = Places(compared.others.size(), "c{}", ", ");
  return fmt::format(
      "SELECT CAST(sum(n) AS BIGINT) AS balance, {0} FROM ({1} UNION ALL {2}) GROUP BY {0} HAVING "
      "sum(n) <> 0 ORDER BY {0}",
      columns, side("before", -1), side("after", 1));
}

class DiffReader {
 public:
  DiffReader(const Compared& compared, size_t examples_max)
      : compared_(compared), examples_max_(examples_max) {}

  Status Read(const avro::BatchView& batch) {
    for (size_t row = 0; row < batch.rows; ++row) {
      const int64_t first = batch.columns.front().As<int64_t>()[row];
      HF_RETURN_IF_ERROR(compared_.key.empty() ? ReadWhole(batch, row, first)
                                               : ReadKeyed(batch, row, first));
    }
    return Ok();
  }

  RowDiff& diff() { return diff_; }

 private:
  Json Cells(const std::vector<Field>& fields, const avro::BatchView& batch, size_t first,
             size_t row) const {
    Json cells = Json::object();
    for (size_t i = 0; i < fields.size(); ++i) {
      cells[fields[i].name] = avro::CellToJson(fields[i], batch.columns[first + i], row);
    }
    return cells;
  }

  void Keep(RowChange change) {
    if (diff_.examples.size() < examples_max_) diff_.examples.push_back(std::move(change));
  }

  Status ReadWhole(const avro::BatchView& batch, size_t row, int64_t balance) {
    RowChange change{.kind = balance > 0 ? RowChangeKind::kAdded : RowChangeKind::kRemoved,
                     .times = std::abs(balance)};
    const bool is_added = balance > 0;
    (is_added ? diff_.added : diff_.removed) += change.times;
    (is_added ? change.after : change.before) = Cells(compared_.others, batch, 1, row);
    Keep(std::move(change));
    return Ok();
  }

  Status ReadKeyed(const avro::BatchView& batch, size_t row, int64_t kind) {
    const size_t keys = compared_.key.size();
    RowChange change{.key = Cells(compared_.key, batch, 1, row)};
    if (kind == 3) {
      return KeyError("more than one row of one of the tables has the key " + DumpJson(change.key));
    }
    change.kind = static_cast<RowChangeKind>(kind);
    if (kind != 0) change.before = Cells(compared_.others, batch, 1 + keys, row);
    if (kind != 1) {
      change.after = Cells(compared_.others, batch, 1 + keys + compared_.others.size(), row);
    }
    if (kind == 0) ++diff_.added;
    if (kind == 1) ++diff_.removed;
    if (kind == 2) {
      ++diff_.changed;
      LeaveOutEqual(change);
    }
    Keep(std::move(change));
    return Ok();
  }

  void LeaveOutEqual(RowChange& change) {
    for (const Field& field : compared_.others) {
      if (change.before[field.name] == change.after[field.name]) {
        change.before.erase(field.name);
        change.after.erase(field.name);
      } else {
        ++diff_.by_column[field.name];
      }
    }
  }

  const Compared& compared_;
  size_t examples_max_;
  RowDiff diff_;
};

warehouse::Binding BindingOf(const char* name, const AskedTable& asked, ReadCounter& counter) {
  const auto table = std::make_shared<const AskedTable>(asked);
  warehouse::SourceBinding source =
      BindParts(table, table->partitions, ScanSchema(asked, false), counter);
  return {.name = name, .relation = std::move(source)};
}

}  // namespace

std::string_view RowChangeName(RowChangeKind kind) {
  switch (kind) {
    case RowChangeKind::kAdded:
      return "added";
    case RowChangeKind::kRemoved:
      return "removed";
    case RowChangeKind::kChanged:
      break;
  }
  return "changed";
}

Result<RowDiff> DiffRows(warehouse::Warehouse& warehouse, const RowDiffRequest& request) {
  HF_ASSIGN_OR_RETURN(const Compared compared, ColumnsOf(request));
  if (compared.key.empty() && compared.others.empty()) {
    return KeyError("the two have no column in common");
  }
  ReadCounter before;
  ReadCounter after;
  warehouse::Query query;
  query.sql = compared.key.empty() ? WholeSql(compared) : KeyedSql(compared);
  query.bindings = {BindingOf("before", request.before, before),
                    BindingOf("after", request.after, after)};
  Field number;
  number.type = FieldType::kInt64;
  query.column_hints.emplace_back(number);
  for (const Field& field : compared.key) query.column_hints.emplace_back(field);
  for (int side = compared.key.empty() ? 1 : 0; side < 2; ++side) {
    for (const Field& field : compared.others) query.column_hints.emplace_back(field);
  }
  DiffReader reader(compared, request.examples_max);
  HF_RETURN_IF_ERROR(warehouse::RunQuery(
      warehouse, query,
      [&](const Schema&, const avro::BatchView& batch) { return reader.Read(batch); }));
  RowDiff diff = std::move(reader.diff());
  before.AddTo(diff.statistics);
  after.AddTo(diff.statistics);
  diff.statistics.partitions =
      static_cast<int64_t>(request.before.partitions.size() + request.after.partitions.size());
  diff.statistics.rows = diff.added + diff.removed + diff.changed;
  return diff;
}

}  // namespace holdfast::ask
