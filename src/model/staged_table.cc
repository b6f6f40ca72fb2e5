#include "model/staged_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast {

namespace {

constexpr std::string_view kStagedPrefix = "holdfast_export_";
// 0: a digit, x: one of lower-case hex; the others are themselves.
constexpr std::string_view kStagedForm = "xxxxxxxx_00000000T000000Z-xxxxxxxx_";

bool FitsForm(char c, char form) {
  const bool is_digit = c >= '0' && c <= '9';
  if (form == '0') return is_digit;
  if (form == 'x') return is_digit || (c >= 'a' && c <= 'f');
  return c == form;
}

}  // namespace

std::string StagedTableName(std::string_view holder, std::string_view export_id,
                            std::string_view table) {
  return fmt::format("{}{}_{}_{}", kStagedPrefix, holder, export_id, table);
}

bool IsStagedTable(std::string_view name, std::string_view holder) {
  if (!name.starts_with(kStagedPrefix)) return false;
  name.remove_prefix(kStagedPrefix.size());
  if (name.size() <= kStagedForm.size() || !name.starts_with(holder)) return false;
  return std::ranges::equal(name.substr(0, kStagedForm.size()), kStagedForm, FitsForm);
}

}  // namespace holdfast
