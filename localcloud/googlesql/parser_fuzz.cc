// Fuzzes the tokenizer, the parser and the translator with any bytes as a statement.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "localcloud/googlesql/tokenizer.h"
#include "localcloud/googlesql/translate.h"

namespace {

using holdfast::Field;
using holdfast::FieldMode;
using holdfast::FieldType;

holdfast::googlesql::ResolvedTable AnyTable() {
  holdfast::googlesql::ResolvedTable table;
  Field number;
  number.name = "a";
  number.type = FieldType::kInt64;
  Field list = number;
  list.name = "l";
  list.mode = FieldMode::kRepeated;
  Field record;
  record.name = "s";
  record.type = FieldType::kRecord;
  record.fields = {number, list};
  Field time;
  time.name = "t";
  time.type = FieldType::kTimestamp;
  table.schema.fields = {number, list, record, time};
  return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast::googlesql;
  const std::string_view sql(reinterpret_cast<const char*>(data), size);
  const auto tokens = Tokenize(sql);
  if (!tokens.ok()) return 0;
  std::string whole;
  for (const Token& token : *tokens) whole += token.text;
  CHECK(whole == sql, "the tokens are not the text");
  TranslateOptions options;
  options.project = "p";
  options.dataset = "d";
  const auto plan = TranslateStatement(
      sql, options, [](const RelationRef&) { return holdfast::Result<ResolvedTable>(AnyTable()); });
  CHECK(plan.ok() || !plan.error().message.empty(), "an error without a message");
  return 0;
}
