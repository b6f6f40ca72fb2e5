// The outcomes of a run ledger in SQL.
#include <fmt/format.h>

#include <map>
#include <optional>

#include "catalog/record_json.h"
#include "catalog/sql_catalog.h"
#include "catalog/sql_run_records.h"
#include "catalog/sql_store.h"

namespace holdfast::catalog {

namespace {

constexpr size_t kOutcomesPageSize = 1000;
constexpr std::string_view kOfObject =
    " WHERE run = ? AND project = ? AND dataset = ? AND table_id = ? AND partition = ?";

Result<ItemOutcome> ParseOutcome(const std::string& text) {
  const auto json = ParseJson(text);
  if (!json.ok()) return AsDamaged(json.error());
  auto outcome = ItemOutcome::FromJson(*json);
  if (!outcome.ok()) return AsDamaged(outcome.error());
  return outcome;
}

// Records outcomes of one run in one transaction. Their sums are written at its end and in order,
// so that others wait for a run's sums shortly, and never two for each other.
class OutcomeWriter {
 public:
  OutcomeWriter(SqlSession& session, const std::string& run) : session_(session), run_(run) {}

  // Keeps the outcome that the object has, unless `item` is of a method that it says nothing of.
  Status Join(const ItemOutcome& item) {
    HF_ASSIGN_OR_RETURN(const bool is_new, Insert(item));
    if (is_new || (!item.method && item.by_method.empty())) return Ok();
    HF_ASSIGN_OR_RETURN(const ItemOutcome before, TakeOutcome(item.object));
    const ItemOutcome joined = item.method ? MergeMethods(before, item) : item;
    return joined.by_method.empty() ? Ok() : Update(before, joined);
  }

  // Takes the place of the outcome that the object has.
  Status Replace(const ItemOutcome& item) {
    HF_ASSIGN_OR_RETURN(const bool is_new, Insert(item));
    if (is_new) return Ok();
    HF_ASSIGN_OR_RETURN(const ItemOutcome before, TakeOutcome(item.object));
    return Update(before, item);
  }

  // After the last one.
  Status WriteSums() {
    for (const auto& [outcome, sums] : sums_) {
      HF_RETURN_IF_ERROR(
          session_.Execute("INSERT INTO run_totals (run, outcome, objects, row_count, byte_count)"
                           " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (run, outcome) DO UPDATE SET"
                           " objects = run_totals.objects + ?3,"
                           " row_count = run_totals.row_count + ?4,"
                           " byte_count = run_totals.byte_count + ?5",
                           {run_, outcome, sums.objects, sums.rows, sums.bytes}));
    }
    return Ok();
  }

 private:
  struct Sums {
    int64_t objects = 0;
    int64_t rows = 0;
    int64_t bytes = 0;
  };

  void Count(const ItemOutcome& item, int64_t sign) {
    Sums& sums = sums_[static_cast<int64_t>(item.outcome)];
    sums.objects += sign;
    sums.rows += sign * item.rows;
    sums.bytes += sign * item.bytes;
  }

  // Whether the object had none.
  Result<bool> Insert(const ItemOutcome& item) {
    const std::string text = DumpJson(item.ToJson());
    HF_ASSIGN_OR_RETURN(
        const int64_t added,
        session_.Execute(
            "INSERT INTO outcomes (run, project, dataset, table_id, partition, outcome,"
            " row_count, byte_count, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            {run_, item.object.project, item.object.dataset, item.object.table,
             item.object.partition, static_cast<int64_t>(item.outcome), item.rows, item.bytes,
             text}));
    if (added > 0) Count(item, 1);
    return added > 0;
  }

  // The outcome of an object that has one, which nobody else changes until the transaction ends.
  Result<ItemOutcome> TakeOutcome(const TableRef& object) {
    const std::vector<SqlValue> key = {run_, object.project, object.dataset, object.table,
                                       object.partition};
    HF_RETURN_IF_ERROR(
        session_.Execute(fmt::format("UPDATE outcomes SET outcome = outcome{}", kOfObject), key));
    std::optional<ItemOutcome> found;
    HF_RETURN_IF_ERROR(session_.Query(fmt::format("SELECT record FROM outcomes{}", kOfObject), key,
                                      [&](const SqlRow& row) -> Status {
                                        HF_ASSIGN_OR_RETURN(found, ParseOutcome(row.Text(0)));
                                        return Ok();
                                      }));
    if (!found) return MakeError(ErrorId::kCatalogDamaged, "catalog: an outcome went away");
    return std::move(*found);
  }

  Status Update(const ItemOutcome& before, const ItemOutcome& item) {
    Count(before, -1);
    Count(item, 1);
    const std::string text = DumpJson(item.ToJson());
    HF_RETURN_IF_ERROR(session_.Execute(
        fmt::format("UPDATE outcomes SET outcome = ?, row_count = ?, byte_count = ?, record = ?{}",
                    kOfObject),
        {static_cast<int64_t>(item.outcome), item.rows, item.bytes, text, run_, item.object.project,
         item.object.dataset, item.object.table, item.object.partition}));
    return Ok();
  }

  SqlSession& session_;
  const std::string& run_;
  std::map<int64_t, Sums> sums_;
};

}  // namespace

Status AddOutcomes(SqlSession& session, const std::string& run,
                   const std::vector<ItemOutcome>& outcomes) {
  OutcomeWriter writer(session, run);
  for (const ItemOutcome& item : outcomes) HF_RETURN_IF_ERROR(writer.Join(item));
  return writer.WriteSums();
}

Status SqlCatalog::RecordOutcomes(const std::string& run,
                                  const std::vector<ItemOutcome>& outcomes) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  return session->Transact([&]() -> Status {
    // Takes the run's row, so that it cannot be finished meanwhile.
    HF_RETURN_IF_ERROR(
        session->Execute("UPDATE runs SET finished = finished WHERE run = ?", {run}));
    const auto found = ReadRun(*session, run);
    if (!found.ok() && found.error().id != ErrorId::kRunNotFound) return found.error();
    if (found.ok() && found->state == RunState::kFinished) return Ok();
    OutcomeWriter writer(*session, run);
    for (const ItemOutcome& item : outcomes) HF_RETURN_IF_ERROR(writer.Replace(item));
    return writer.WriteSums();
  });
}

Result<cloud::Page<ItemOutcome>> SqlCatalog::FindOutcomes(const std::string& run,
                                                          const OutcomeFilter& filter,
                                                          const std::string& page_token) {
  Json key = {"", "", "", ""};
  if (!page_token.empty()) {
    HF_ASSIGN_OR_RETURN(key, KeyOf(page_token, 4));
  }
  for (const Json& part : key) {
    if (!part.is_string()) {
      return MakeError(ErrorId::kInvalidJson, "a page token is not one of this listing");
    }
  }
  const auto text = [&](size_t i) {
    return std::string_view(key[i].get_ref<const std::string&>());
  };
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  HF_RETURN_IF_ERROR(ReadRun(*session, run));
  cloud::Page<ItemOutcome> page;
  std::string sql =
      "SELECT record FROM outcomes WHERE run = ?"
      " AND (project, dataset, table_id, partition) > (?, ?, ?, ?)";
  std::vector<SqlValue> values = {run, text(0), text(1), text(2), text(3)};
  const std::pair<std::string_view, const std::string&> named[] = {
      {" AND project = ?", filter.project},
      {" AND dataset = ?", filter.dataset},
      {" AND table_id = ?", filter.table}};
  for (const auto& [condition, name] : named) {
    if (name.empty()) continue;
    sql += condition;
    values.emplace_back(name);
  }
  if (filter.above_tables) sql += " AND table_id = ''";
  sql += " ORDER BY project, dataset, table_id, partition LIMIT ?";
  values.emplace_back(static_cast<int64_t>(kOutcomesPageSize));
  HF_RETURN_IF_ERROR(session->Query(sql, values, [&](const SqlRow& row) -> Status {
    HF_ASSIGN_OR_RETURN(ItemOutcome outcome, ParseOutcome(row.Text(0)));
    page.items.push_back(std::move(outcome));
    return Ok();
  }));
  if (page.items.size() < kOutcomesPageSize) return page;
  const TableRef& last = page.items.back().object;
  page.next_page_token = TokenOf({last.project, last.dataset, last.table, last.partition});
  return page;
}

Result<std::optional<int64_t>> SqlCatalog::LastSeen(const TableRef& object) {
  HF_ASSIGN_OR_RETURN(const SqlLease session, store_->Take());
  std::optional<int64_t> seen;
  // From the newest run on, each with one look at the key of outcomes: a present object costs one.
  HF_RETURN_IF_ERROR(session->Query(
      "SELECT started_ms FROM runs WHERE EXISTS (SELECT 1 FROM outcomes WHERE outcomes.run ="
      " runs.run AND project = ? AND dataset = ? AND table_id = ? AND partition = ?"
      " AND outcome <> ?) ORDER BY started_ms DESC, run DESC LIMIT 1",
      {object.project, object.dataset, object.table, object.partition,
       static_cast<int64_t>(Outcome::kVanished)},
      [&](const SqlRow& row) -> Status {
        seen = row.Int(0);
        return Ok();
      }));
  return seen;
}

}  // namespace holdfast::catalog
