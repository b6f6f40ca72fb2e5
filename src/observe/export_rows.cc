#include "observe/export_rows.h"

#include <array>

namespace holdfast::observe {

namespace {

struct ExportTableText {
  std::string_view name;
  std::string_view description;
};

constexpr std::array<ExportTableText, kExportTables> kExportTableTexts = {{
    {"objects", "Everything that the sources listed when this was exported"},
    {"unseen", "Projects, datasets and repositories that could not be looked into, and why"},
    {"backups", "One row a backup: an object at one point in time"},
    {"verifications", "What was checked of a backup, when, and with what result"},
    {"pins", "Pins and holds: what keeps a backup from being pruned"},
    {"runs", "One row a run, with the sums of its outcomes"},
    {"outcomes", "What became of each object in each run, and why"},
    {"audit", "Who did what, as the chained audit log has it"},
    {"export", "Which export this is; replaced after all others"},
}};

Field Column(std::string name, FieldType type, std::string description) {
  return {.name = std::move(name), .type = type, .description = std::move(description)};
}

Field TextColumn(std::string name, std::string description = "") {
  return Column(std::move(name), FieldType::kString, std::move(description));
}

Field CountColumn(std::string name, std::string description = "") {
  return Column(std::move(name), FieldType::kInt64, std::move(description));
}

Field TimeColumn(std::string name, std::string description = "") {
  return Column(std::move(name), FieldType::kTimestamp, std::move(description));
}

Field FlagColumn(std::string name, std::string description = "") {
  return Column(std::move(name), FieldType::kBool, std::move(description));
}

Field ListColumn(std::string name, std::string description) {
  Field field = TextColumn(std::move(name), std::move(description));
  field.mode = FieldMode::kRepeated;
  return field;
}

// The four columns that name an object, behind those given.
std::vector<Field> WithObjectColumns(std::vector<Field> before, std::vector<Field> behind) {
  before.push_back(TextColumn("project_id"));
  before.push_back(TextColumn("dataset_id"));
  before.push_back(TextColumn("table_id", "Of a routine or a dataset its reserved name"));
  before.push_back(TextColumn("partition_id", "Empty: the whole table"));
  before.insert(before.end(), behind.begin(), behind.end());
  return before;
}

void AddObjectCells(TableUpload& upload, const TableRef& object) {
  upload.Text(object.project).Text(object.dataset).Text(object.table).Text(object.partition);
}

Schema ObjectColumns() {
  return {{TextColumn("project_id"), TextColumn("dataset_id"), TextColumn("table_id"),
           TextColumn("kind"), TimeColumn("modified_at"), CountColumn("row_count"),
           CountColumn("byte_count", "Logical bytes"),
           FlagColumn("partitions_listed",
                      "Whether the partitions were looked at, since the sums differ from the "
                      "backups'"),
           ListColumn("partitions", "The partitions that are there, where they were looked at"),
           TimeColumn("seen_at")}};
}

Schema BackupColumns() {
  return {WithObjectColumns({TextColumn("backup_id")},
                            {TextColumn("kind"),
                             TextColumn("method"),
                             TextColumn("run_id"),
                             TextColumn("policy"),
                             TextColumn("state", "good, suspect or damaged"),
                             TextColumn("suspect_reason"),
                             TimeColumn("created_at"),
                             TimeColumn("consistent_through", "Everything up to here is in it"),
                             TimeColumn("as_of", "The moment of time travel that it was read at"),
                             TextColumn("location"),
                             CountColumn("row_count", "Rows in it"),
                             CountColumn("stored_bytes"),
                             CountColumn("data_objects"),
                             CountColumn("source_rows", "Of the source when it was backed up"),
                             CountColumn("source_bytes"),
                             TimeColumn("source_created_at"),
                             TimeColumn("source_modified_at"),
                             TextColumn("bucket"),
                             TextColumn("prefix", "Of the repository in its bucket"),
                             TextColumn("content_digest"),
                             TextColumn("verified_level", "The best level that passed"),
                             TimeColumn("verified_at")})};
}

Schema RunColumns() {
  Schema schema{{TextColumn("run_id"), TextColumn("state", "running or finished"),
                 TextColumn("policy"), TimeColumn("started_at"), TimeColumn("finished_at"),
                 ListColumn("schedules", "Those that it was of; none: every object was due"),
                 CountColumn("objects", "All outcomes")}};
  for (int i = 0; i < kOutcomes; ++i) {
    schema.fields.push_back(CountColumn(std::string(OutcomeName(static_cast<Outcome>(i)))));
  }
  schema.fields.push_back(CountColumn("row_count", "Rows captured"));
  schema.fields.push_back(CountColumn("stored_bytes"));
  return schema;
}

Schema OutcomeColumns() {
  Field methods = Column("methods", FieldType::kRecord, "Of each method, where there are several");
  methods.mode = FieldMode::kRepeated;
  methods.fields = {TextColumn("method"), TextColumn("outcome"), TextColumn("reason"),
                    TextColumn("error_id"), TextColumn("backup_id")};
  return {WithObjectColumns(
      {TextColumn("run_id")},
      {TextColumn("kind"), TextColumn("outcome"), TextColumn("reason"), TextColumn("error_id"),
       TextColumn("backup_id", "The backup that holds the object now"), TextColumn("method"),
       CountColumn("row_count"), CountColumn("stored_bytes"), CountColumn("duration_ms"),
       FlagColumn("suspect"), TextColumn("note"),
       TextColumn("expected_on", "The day on which what was carried over should fit"), methods})};
}

void AddMethodsCell(TableUpload& upload, const std::vector<ItemOutcome>& by_method) {
  avro::ColumnBuilder& column = upload.NextColumn();
  for (const ItemOutcome& item : by_method) {
    avro::ColumnBuilder& record = column.element();
    const std::array<std::string, 5> cells = {
        std::string(item.method ? MethodName(*item.method) : ""),
        std::string(OutcomeName(item.outcome)), item.reason, item.error_id, item.backup};
    for (size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].empty()) {
        record.child(i).AppendNull();
      } else {
        record.child(i).AppendText(ValidText(cells[i]));
      }
    }
    record.FinishRecord();
  }
  column.FinishList();
}

std::string_view StateOf(const catalog::BackupRecord& record) {
  if (record.damaged) return "damaged";
  return record.suspect.empty() ? "good" : "suspect";
}

}  // namespace

std::string_view ExportTableName(ExportTable table) {
  return kExportTableTexts[static_cast<size_t>(table)].name;
}

std::string_view ExportTableDescription(ExportTable table) {
  return kExportTableTexts[static_cast<size_t>(table)].description;
}

Schema ExportTableSchema(ExportTable table) {
  switch (table) {
    case ExportTable::kObjects:
      return ObjectColumns();
    case ExportTable::kUnseen:
      return {{TextColumn("name"), TextColumn("reason")}};
    case ExportTable::kBackups:
      return BackupColumns();
    case ExportTable::kVerifications:
      return {{TextColumn("backup_id"), TimeColumn("checked_at"), TextColumn("level"),
               FlagColumn("passed"), TextColumn("detail")}};
    case ExportTable::kPins:
      return {{TextColumn("backup_id"), TextColumn("kind", "pin or hold"), TextColumn("reason"),
               TextColumn("actor"), TimeColumn("created_at")}};
    case ExportTable::kRuns:
      return RunColumns();
    case ExportTable::kOutcomes:
      return OutcomeColumns();
    case ExportTable::kAudit:
      return {{CountColumn("sequence"), TimeColumn("occurred_at"), TextColumn("actor"),
               TextColumn("action"), TextColumn("subject"), Column("detail", FieldType::kJson, ""),
               TextColumn("entry_hash", "Covers the entry and the hash before it")}};
    case ExportTable::kExport:
      break;
  }
  return {{TextColumn("export_id"), TimeColumn("exported_at"), TextColumn("catalog_id"),
           TextColumn("tool_version")}};
}

Status AppendObject(TableUpload& upload, const SeenObject& seen, int64_t seen_ms) {
  const TableSummary& table = *seen.listed;
  const auto kind = ObjectKindOf(table.kind);
  upload.Text(table.ref.project)
      .Text(table.ref.dataset)
      .Text(table.ref.table)
      .Text(kind ? ObjectKindName(*kind) : TableKindName(table.kind))
      .TimeOrNull(table.last_modified_ms)
      .Int(table.rows)
      .Int(table.bytes)
      .Bool(seen.partitions.has_value());
  std::vector<std::string> partitions;
  if (seen.partitions) partitions.assign(seen.partitions->begin(), seen.partitions->end());
  return upload.Texts(partitions).TimeOrNull(seen_ms).EndRow();
}

Status AppendUnseen(TableUpload& upload, const std::string& name, const std::string& reason) {
  return upload.Text(name).Text(reason).EndRow();
}

Status AppendBackup(TableUpload& upload, const catalog::BackupRecord& record,
                    const std::string& policy) {
  upload.Text(record.backup);
  AddObjectCells(upload, record.object);
  return upload.Text(ObjectKindName(record.kind))
      .Text(MethodName(record.method))
      .Text(record.run)
      .TextOrNull(policy)
      .Text(StateOf(record))
      .TextOrNull(record.suspect)
      .TimeOrNull(record.created_ms)
      .TimeOrNull(record.consistent_through_ms)
      .TimeOrNull(record.as_of_ms.value_or(0))
      .TextOrNull(record.location)
      .Int(record.rows)
      .Int(record.stored_bytes)
      .Int(record.objects)
      .Int(record.source.rows)
      .Int(record.source.bytes)
      .TimeOrNull(record.source.creation_ms)
      .TimeOrNull(record.source.last_modified_ms)
      .TextOrNull(record.bucket)
      .Text(record.prefix)
      .TextOrNull(record.content_digest)
      .Text(VerifyLevelName(record.verified))
      .TimeOrNull(record.verified_ms)
      .EndRow();
}

Status AppendVerification(TableUpload& upload, const catalog::VerificationRecord& record) {
  return upload.Text(record.backup)
      .TimeOrNull(record.at_ms)
      .Text(VerifyLevelName(record.level))
      .Bool(record.passed)
      .TextOrNull(record.detail)
      .EndRow();
}

Status AppendPin(TableUpload& upload, const ExportedPin& pin) {
  return upload.Text(pin.backup)
      .Text(pin.kind)
      .TextOrNull(pin.reason)
      .TextOrNull(pin.actor)
      .TimeOrNull(pin.created_ms)
      .EndRow();
}

Status AppendRun(TableUpload& upload, const Run& run, const RunTotals& totals) {
  upload.Text(run.id)
      .Text(RunStateName(run.state))
      .TextOrNull(run.policy.name)
      .TimeOrNull(run.started_ms)
      .TimeOrNull(run.finished_ms)
      .Texts(run.due)
      .Int(totals.objects);
  for (int i = 0; i < kOutcomes; ++i) upload.Int(totals.Of(static_cast<Outcome>(i)));
  return upload.Int(totals.rows).Int(totals.bytes).EndRow();
}

Status AppendOutcome(TableUpload& upload, const std::string& run, const ItemOutcome& item) {
  upload.Text(run);
  AddObjectCells(upload, item.object);
  upload.Text(ObjectKindName(item.kind))
      .Text(OutcomeName(item.outcome))
      .TextOrNull(item.reason)
      .TextOrNull(item.error_id)
      .TextOrNull(item.backup)
      .TextOrNull(item.method ? MethodName(*item.method) : "")
      .Int(item.rows)
      .Int(item.bytes)
      .Int(item.duration_ms)
      .Bool(item.suspect)
      .TextOrNull(item.note)
      .TextOrNull(item.expected);
  AddMethodsCell(upload, item.by_method);
  return upload.EndRow();
}

Status AppendAudit(TableUpload& upload, const catalog::AuditEntry& entry) {
  return upload.Int(entry.sequence)
      .TimeOrNull(entry.event.at_ms)
      .TextOrNull(entry.event.actor)
      .Text(entry.event.action)
      .TextOrNull(entry.event.subject)
      .Text(DumpJson(entry.event.detail))
      .Text(entry.hash)
      .EndRow();
}

Status AppendStamp(TableUpload& upload, const ExportStamp& stamp) {
  return upload.Text(stamp.id)
      .TimeOrNull(stamp.at_ms)
      .Text(stamp.catalog)
      .Text(stamp.tool_version)
      .EndRow();
}

}  // namespace holdfast::observe
