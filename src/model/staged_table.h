// The tables that an export of the catalog fills before it replaces what readers see: they stand
// beside it for minutes, and after a crash until they expire.
//
// They are known by their names alone, since a listing of tables tells no labels: a scan and the
// service levels pass over them, they are nobody's data. The form is long enough not to be met by
// chance. Pure.
#pragma once

#include <string>
#include <string_view>

namespace holdfast {

// The digits (lower-case hex) by which an exporter knows what it left behind itself.
inline constexpr size_t kStagedHolderDigits = 8;

// "holdfast_export_<holder>_<export>_<table>". `holder` has kStagedHolderDigits digits; the export
// is named as a run is (ids.h).
std::string StagedTableName(std::string_view holder, std::string_view export_id,
                            std::string_view table);

// Whether a table of that name is one; with a `holder`, one of its.
bool IsStagedTable(std::string_view name, std::string_view holder = {});

}  // namespace holdfast
