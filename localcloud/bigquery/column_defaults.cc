#include "localcloud/bigquery/column_defaults.h"

#include <fmt/format.h>

#include "localcloud/bigquery/fault.h"
#include "localcloud/googlesql/translate.h"
#include "localcloud/warehouse/query.h"

namespace holdfast::bigquery {

namespace {

Error InvalidDefault(const std::string& column, std::string_view why) {
  return Invalid(fmt::format("Invalid default value expression for column {}: {}", column, why));
}

Status CheckNoneBelow(const Field& field, const std::string& path) {
  for (const Field& member : field.fields) {
    const std::string member_path = fmt::format("{}.{}", path, member.name);
    if (warehouse::HasDefault(member)) {
      return InvalidDefault(member_path, "only top-level columns can have one");
    }
    HF_RETURN_IF_ERROR(CheckNoneBelow(member, member_path));
  }
  return Ok();
}

}  // namespace

warehouse::DefaultSql DefaultsAsOfNow(const ServiceContext& context) {
  const googlesql::TranslateOptions options{
      .project = {}, .dataset = {}, .now_us = context.clock.Now().time_since_epoch().count()};
  return [options](const Field& field) { return googlesql::TranslateDefault(field, options); };
}

Status CheckDefaults(const ServiceContext& context, const Schema& schema) {
  const warehouse::DefaultSql default_sql = DefaultsAsOfNow(context);
  for (const Field& field : schema.fields) {
    HF_RETURN_IF_ERROR(CheckNoneBelow(field, field.name));
    if (!warehouse::HasDefault(field)) continue;
    if (!field.extras["defaultValueExpression"].is_string()) {
      return InvalidDefault(field.name, "it is not a string");
    }
    const auto sql = default_sql(field);
    if (!sql.ok()) return InvalidDefault(field.name, sql.error().message);
    warehouse::Query query;
    query.sql = "SELECT " + *sql;
    query.column_hints.emplace_back(field);
    const auto evaluated = warehouse::RunQuery(
        context.warehouse, query, [](const Schema&, const avro::BatchView&) { return Ok(); });
    if (!evaluated.ok()) return InvalidDefault(field.name, evaluated.error().message);
  }
  return Ok();
}

}  // namespace holdfast::bigquery
