#include "avro/schema_mapping.h"

#include <gtest/gtest.h>

#include "avro/file_fixture.h"

namespace holdfast::avro {
namespace {

using Mode = FieldMode;
using Type = FieldType;

Json TypeOf(Field field, DateTimeForm form = DateTimeForm::kText) {
  field.name = "x";
  const auto json = ToAvroSchema(Schema{{field}}, form);
  return json.ok() ? (*json)["fields"][0]["type"] : Json(json.error().message);
}

Field Required(Type type, int precision = 0, int scale = 0) {
  Field field = MakeField("x", type, Mode::kRequired);
  field.precision = precision;
  field.scale = scale;
  return field;
}

TEST(ToAvroSchema, WritesEachTypeAsBigQuerysExtractDoes) {
  EXPECT_EQ(TypeOf(Required(Type::kInt64)), "long");
  EXPECT_EQ(TypeOf(Required(Type::kFloat64)), "double");
  EXPECT_EQ(TypeOf(Required(Type::kBool)), "boolean");
  EXPECT_EQ(TypeOf(Required(Type::kString)), "string");
  EXPECT_EQ(TypeOf(Required(Type::kBytes)), "bytes");
  EXPECT_EQ(TypeOf(Required(Type::kNumeric)),
            Json::parse(R"({"type":"bytes","logicalType":"decimal","precision":38,"scale":9})"));
  EXPECT_EQ(TypeOf(Required(Type::kNumeric, 5, 2)),
            Json::parse(R"({"type":"bytes","logicalType":"decimal","precision":5,"scale":2})"));
  EXPECT_EQ(TypeOf(Required(Type::kBigNumeric)),
            Json::parse(R"({"type":"bytes","logicalType":"decimal","precision":77,"scale":38})"));
  EXPECT_EQ(TypeOf(Required(Type::kTimestamp)),
            Json::parse(R"({"type":"long","logicalType":"timestamp-micros"})"));
  EXPECT_EQ(TypeOf(Required(Type::kDate)), Json::parse(R"({"type":"int","logicalType":"date"})"));
  EXPECT_EQ(TypeOf(Required(Type::kTime)),
            Json::parse(R"({"type":"long","logicalType":"time-micros"})"));
  EXPECT_EQ(TypeOf(Required(Type::kDateTime)),
            Json::parse(R"({"type":"string","logicalType":"datetime"})"));
  EXPECT_EQ(TypeOf(Required(Type::kDateTime), DateTimeForm::kMicros),
            Json::parse(R"({"type":"long","logicalType":"local-timestamp-micros"})"));
  EXPECT_EQ(TypeOf(Required(Type::kGeography)),
            Json::parse(R"({"type":"string","sqlType":"GEOGRAPHY"})"));
  EXPECT_EQ(TypeOf(Required(Type::kJson)), Json::parse(R"({"type":"string","sqlType":"JSON"})"));
  EXPECT_EQ(TypeOf(Required(Type::kInterval)),
            Json::parse(R"({"type":"string","sqlType":"INTERVAL"})"));
  EXPECT_EQ(TypeOf(Required(Type::kRange)), Json::parse(R"({
    "type":"record","name":"x","namespace":"Root","sqlType":"RANGE","fields":[
      {"name":"start","type":["null",{"type":"int","logicalType":"date"}]},
      {"name":"end","type":["null",{"type":"int","logicalType":"date"}]}]})"));
}

TEST(ToAvroSchema, WritesModesAsUnionAndArray) {
  EXPECT_EQ(TypeOf(MakeField("x", Type::kInt64)), Json::parse(R"(["null","long"])"));
  EXPECT_EQ(TypeOf(MakeField("x", Type::kInt64, Mode::kRepeated)),
            Json::parse(R"({"type":"array","items":"long"})"));
}

TEST(ToAvroSchema, GivesTheSameRecordNameTwoNamespaces) {
  const Field address =
      MakeField("address", Type::kRecord, Mode::kNullable, {MakeField("city", Type::kString)});
  const Schema schema{{MakeField("home", Type::kRecord, Mode::kNullable, {address}),
                       MakeField("work", Type::kRecord, Mode::kRepeated, {address})}};
  const auto json = ToAvroSchema(schema);
  ASSERT_TRUE(json.ok());
  const Json& home = (*json)["fields"][0]["type"][1]["fields"][0]["type"][1];
  const Json& work = (*json)["fields"][1]["type"]["items"]["fields"][0]["type"][1];
  EXPECT_EQ(home["namespace"], "Root.home");
  EXPECT_EQ(work["namespace"], "Root.work");
  EXPECT_EQ(*FromAvroSchema(*json), schema);
}

TEST(ToAvroSchema, AliasesNamesWithoutCollision) {
  const Schema schema{{MakeField("C0001", Type::kInt64), MakeField("prix (€)", Type::kInt64),
                       MakeField("2nd", Type::kInt64)}};
  const auto json = ToAvroSchema(schema);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["fields"][1]["name"], "c0002");
  EXPECT_EQ((*json)["fields"][1]["bigquery.name"], "prix (€)");
  EXPECT_EQ((*json)["fields"][2]["name"], "c0003");
  EXPECT_EQ(*FromAvroSchema(*json), schema);
}

TEST(SchemaMapping, ComesBackWholeForEveryTypeAndMode) {
  Schema schema;
  for (const Type type :
       {Type::kString, Type::kBytes, Type::kInt64, Type::kFloat64, Type::kBool, Type::kNumeric,
        Type::kBigNumeric, Type::kTimestamp, Type::kDate, Type::kTime, Type::kDateTime,
        Type::kGeography, Type::kJson, Type::kInterval, Type::kRange}) {
    for (const Mode mode : {Mode::kNullable, Mode::kRequired, Mode::kRepeated}) {
      schema.fields.push_back(MakeField("f" + std::to_string(schema.fields.size()), type, mode));
    }
  }
  schema.fields[0].description = "a \"quoted\" word";
  for (const Type element : {Type::kDate, Type::kDateTime, Type::kTimestamp}) {
    Field range = MakeField("f" + std::to_string(schema.fields.size()), Type::kRange);
    range.range_element_type = element;
    schema.fields.push_back(range);
  }
  for (const auto& [type, precision, scale] : {std::tuple{Type::kNumeric, 5, 2},
                                               {Type::kNumeric, 29, 0},
                                               {Type::kBigNumeric, 5, 2},
                                               {Type::kBigNumeric, 38, 9},
                                               {Type::kBigNumeric, 76, 38},
                                               {Type::kBigNumeric, 38, 0}}) {
    Field decimal = MakeField("f" + std::to_string(schema.fields.size()), type);
    decimal.precision = precision;
    decimal.scale = scale;
    schema.fields.push_back(decimal);
  }
  schema.fields.push_back(MakeField("outer", Type::kRecord, Mode::kRepeated, schema.fields));
  for (const DateTimeForm form : {DateTimeForm::kText, DateTimeForm::kMicros}) {
    const auto json = ToAvroSchema(schema, form);
    ASSERT_TRUE(json.ok());
    const auto back = FromAvroSchema(*json);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(DumpJson(back->ToJson()), DumpJson(schema.ToJson()));
  }
}

Result<Schema> FromType(const std::string& type) {
  return FromAvroSchema(
      Json::parse(R"({"type":"record","name":"R","fields":[{"name":"x","type":)" + type + "}]}"));
}

TEST(FromAvroSchema, TakesATypeNamedEarlier) {
  const auto schema = FromAvroSchema(Json::parse(R"({"type":"record","name":"a.R","fields":[
    {"name":"x","type":{"type":"record","name":"P","fields":[{"name":"i","type":"int"}]}},
    {"name":"y","type":["null","P"]},{"name":"z","type":{"type":"array","items":"a.P"}}]})"));
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  EXPECT_EQ(schema->fields[1].fields, schema->fields[0].fields);
  EXPECT_EQ(schema->fields[1].mode, Mode::kNullable);
  EXPECT_EQ(schema->fields[2].mode, Mode::kRepeated);
}

TEST(FromAvroSchema, IgnoresLogicalTypesThatDoNotFit) {
  EXPECT_EQ(FromType(R"({"type":"string","logicalType":"date"})")->fields[0].type, Type::kString);
  EXPECT_EQ(FromType(R"({"type":"bytes","logicalType":"decimal"})")->fields[0].type, Type::kBytes);
  EXPECT_EQ(FromType(R"({"type":"long","logicalType":"mine"})")->fields[0].type, Type::kInt64);
  EXPECT_EQ(FromType(R"({"type":"string","logicalType":"uuid"})")->fields[0].type, Type::kString);
}

TEST(FromAvroSchema, RefusesWhatNoTableCanHold) {
  for (const char* type :
       {R"(["null","long","string"])", R"("null")", R"(["null"])",
        R"({"type":"array","items":{"type":"array","items":"long"}})",
        R"({"type":"array","items":{"type":"map","values":"long"}})",
        R"({"type":"bytes","logicalType":"decimal","precision":90,"scale":10})",
        R"({"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]}]})",
        R"({"type":"record","name":"N","sqlType":"RANGE","fields":[{"name":"start","type":"long"},)"
        R"({"name":"end","type":"long"}]})"}) {
    const auto schema = FromType(type);
    ASSERT_FALSE(schema.ok()) << type;
    EXPECT_EQ(schema.error().id, ErrorId::kAvroUnsupported) << type;
  }
}

TEST(FromAvroSchema, RefusesMalformedSchemas) {
  for (
      const char* text :
      {"1", "\"R\"", "[]", "{}", R"({"type":"record","name":"R"})",
       R"({"type":"record","name":"R","fields":[]})",
       R"({"type":"record","fields":[{"name":"x","type":"int"}]})",
       R"({"type":"record","name":"R","fields":[{"name":"x"}]})",
       R"({"type":"record","name":"R","fields":[{"name":"x","type":"int"},{"name":"x","type":"int"}]})",
       R"({"type":"record","name":"R","fields":[{"name":"x","type":"int"},{"name":"X","type":"int"}]})",
       R"({"type":"record","name":"R","fields":[{"name":"x","type":"missing"}]})",
       R"({"type":"record","name":"R","fields":[{"name":"x","type":{"type":"fixed","name":"F","size":0}}]})",
       R"({"type":"record","name":"R","fields":[{"name":"x","type":{"type":"enum","name":"E","symbols":[]}}]})",
       R"({"type":"record","name":"R","fields":[{"name":"x","type":[["null"]]}]})",
       R"({"type":"record","name":"R","fields":[{"name":"x","type":{"type":"fixed","name":"R","size":1}}]})"}) {
    const auto schema = FromAvroSchema(Json::parse(text));
    ASSERT_FALSE(schema.ok()) << text;
    EXPECT_EQ(schema.error().id, ErrorId::kAvroSchema) << text << schema.error().message;
  }
}

TEST(FromAvroSchema, RefusesASmallSchemaThatUnfoldsToBillions) {
  Json fields = Json::array();
  std::string last = "\"int\"";
  for (int level = 0; level < 12; ++level) {
    const std::string name = "T" + std::to_string(level);
    Json record = {{"type", "record"}, {"name", name}, {"fields", Json::array()}};
    for (int i = 0; i < 10; ++i) {
      record["fields"].push_back({{"name", "f" + std::to_string(i)}, {"type", Json::parse(last)}});
    }
    fields.push_back({{"name", name}, {"type", record}});
    last = "\"" + name + "\"";
  }
  const auto schema = FromAvroSchema({{"type", "record"}, {"name", "R"}, {"fields", fields}});
  ASSERT_FALSE(schema.ok());
  EXPECT_EQ(schema.error().id, ErrorId::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::avro
