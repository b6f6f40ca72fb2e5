#include "cli/schema_diff.h"

#include <fmt/format.h>

namespace holdfast::cli {

namespace {

std::string ColumnTypeText(const Field& field) {
  std::string text(SqlTypeName(field.type));
  if (field.type == FieldType::kRange) {
    text += fmt::format("<{}>", SqlTypeName(field.range_element_type));
  }
  if (field.precision > 0) {
    text += field.scale > 0 ? fmt::format("({}, {})", field.precision, field.scale)
                            : fmt::format("({})", field.precision);
  }
  if (field.mode != FieldMode::kNullable) text += fmt::format(" {}", ModeName(field.mode));
  return text;
}

void CompareFields(const std::vector<Field>& before, const std::vector<Field>& after,
                   const std::string& prefix, std::vector<ColumnChange>& changes) {
  const Schema old_fields{before};
  const Schema new_fields{after};
  for (const Field& field : after) {
    const Field* old = old_fields.Find(field.name);
    const std::string name = prefix + field.name;
    const std::string text = ColumnTypeText(field);
    if (old == nullptr) {
      changes.push_back({ColumnChange::Kind::kAdded, name, "", text});
      continue;
    }
    const std::string old_text = ColumnTypeText(*old);
    if (old_text != text) {
      changes.push_back({ColumnChange::Kind::kChanged, name, old_text, text});
    } else {
      CompareFields(old->fields, field.fields, name + ".", changes);
    }
  }
  for (const Field& field : before) {
    if (new_fields.Find(field.name) != nullptr) continue;
    changes.push_back(
        {ColumnChange::Kind::kRemoved, prefix + field.name, ColumnTypeText(field), ""});
  }
}

}  // namespace

std::string ColumnChange::ToText() const {
  switch (kind) {
    case Kind::kAdded:
      return fmt::format("column {} added: {}", column, after);
    case Kind::kRemoved:
      return fmt::format("column {} removed: {}", column, before);
    case Kind::kChanged:
      break;
  }
  return fmt::format("column {} changed: {} -> {}", column, before, after);
}

Json ColumnChange::ToJson() const {
  static constexpr const char* kNames[] = {"added", "removed", "changed"};
  return {{"change", kNames[static_cast<size_t>(kind)]},
          {"column", column},
          {"before", before},
          {"after", after}};
}

std::vector<ColumnChange> CompareColumns(const Schema& before, const Schema& after) {
  std::vector<ColumnChange> changes;
  CompareFields(before.fields, after.fields, "", changes);
  return changes;
}

}  // namespace holdfast::cli
