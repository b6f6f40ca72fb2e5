#include <fmt/format.h>

#include "localcloud/googlesql/error.h"
#include "localcloud/googlesql/translate.h"

namespace holdfast::googlesql {
namespace {

Result<Type> ParseAtDepth(const Json& json, int depth) {
  if (depth > kSchemaDepthMax) return QueryError("Query parameter type is too deep", {});
  const std::string name = StringOr(json, "type", "");
  if (name == "ARRAY") {
    const Json* const element = FindField(json, "arrayType");
    if (element == nullptr) return QueryError("Query parameter of type ARRAY has no arrayType", {});
    HF_ASSIGN_OR_RETURN(Type type, ParseAtDepth(*element, depth + 1));
    return Type::Array(std::move(type));
  }
  if (name == "RANGE") {
    const Json* const element = FindField(json, "rangeElementType");
    if (element == nullptr)
      return QueryError("Query parameter of type RANGE has no rangeElementType", {});
    HF_ASSIGN_OR_RETURN(Type type, ParseAtDepth(*element, depth + 1));
    return Type::Range(std::move(type));
  }
  if (name == "STRUCT") {
    std::vector<StructMember> members;
    const Json* const fields = FindField(json, "structTypes");
    if (fields == nullptr || !fields->is_array()) {
      return QueryError("Query parameter of type STRUCT has no structTypes", {});
    }
    for (const Json& field : *fields) {
      const Json* const type = FindField(field, "type");
      if (type == nullptr) return QueryError("A field of a STRUCT query parameter has no type", {});
      HF_ASSIGN_OR_RETURN(Type member, ParseAtDepth(*type, depth + 1));
      members.push_back({StringOr(field, "name", ""), std::move(member)});
    }
    return Type::Struct(std::move(members));
  }
  const std::optional<TypeKind> kind = ParseSimpleType(name);
  if (!kind)
    return QueryError(fmt::format("Query parameter has the unknown type \"{}\"", name), {});
  return Type::Of(*kind);
}

}  // namespace

Result<Type> ParseParameterType(const Json& parameter_type) {
  return ParseAtDepth(parameter_type, 1);
}

}  // namespace holdfast::googlesql
