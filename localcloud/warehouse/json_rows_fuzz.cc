// Rows come from whoever may insert them: none may crash, what is refused leaves no trace, and what
// is accepted is one row.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "localcloud/warehouse/json_rows.h"

namespace {

holdfast::Schema EveryType() {
  holdfast::Schema schema;
  for (const char* type :
       {"STRING", "BYTES", "INTEGER", "FLOAT", "BOOLEAN", "NUMERIC", "BIGNUMERIC", "TIMESTAMP",
        "DATE", "TIME", "DATETIME", "GEOGRAPHY", "JSON", "INTERVAL"}) {
    const auto parsed = holdfast::ParseFieldType(type);
    CHECK(parsed.ok(), type);
    schema.fields.push_back({.name = std::string("f") + type, .type = *parsed});
  }
  holdfast::Field list = schema.fields[2];
  list.name = "list";
  list.mode = holdfast::FieldMode::kRepeated;
  holdfast::Field record{.name = "record", .type = holdfast::FieldType::kRecord};
  record.fields = schema.fields;
  schema.fields.push_back(std::move(list));
  schema.fields.push_back(std::move(record));
  return schema;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const holdfast::Schema schema = EveryType();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool as_text : {false, true}) {
    holdfast::warehouse::JsonRowParser parser(schema, {.json_columns_are_text = as_text});
    const bool accepted = !parser.Check(text).has_value();
    CHECK(parser.rows() == 0, "a check kept a row");
    CHECK(parser.Append(text).has_value() != accepted, "check and append differ");
    CHECK(parser.rows() == (accepted ? 1u : 0u), "a refused row was kept");
    CHECK(parser.Build().view.rows == (accepted ? 1u : 0u), "a row is lost on the way");
  }
  return 0;
}
