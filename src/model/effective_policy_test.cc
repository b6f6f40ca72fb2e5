#include "model/effective_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast {
namespace {

using testing::HasSubstr;

PolicyDocument Document(const std::string& text) {
  ParsedPolicy parsed = ParsePolicyText(text, "policy.yaml");
  for (const PolicyProblem& problem : parsed.problems) ADD_FAILURE() << problem.ToString();
  return std::move(parsed.document);
}

constexpr const char* kLevels = R"(
defaults: {forced_full_days: 1, codec: NONE, prefix: from-defaults}
folders:
  folders/1: {forced_full_days: 2, prefix: from-top-folder}
  folders/2: {forced_full_days: 3}
projects:
  acme-*: {forced_full_days: 4}
  acme-prod: {forced_full_days: 5}
datasets:
  acme-prod.sales: {forced_full_days: 6}
tables:
  acme-prod.sales.*: {forced_full_days: 7}
  acme-prod.sales.ord*: {forced_full_days: 8}
  acme-prod.sales.*_ord: {forced_full_days: 9}
  acme-prod.sales.exact: {forced_full_days: 10}
)";

struct LevelCase {
  const char* table;
  std::vector<std::string> folders;
  int days;
  const char* days_origin;
  const char* prefix;
};

TEST(EffectivePolicy, TakesEachFieldFromTheMostSpecificPlace) {
  const PolicyDocument document = Document(kLevels);
  const LevelCase cases[] = {
      {"other.sales.orders", {}, 1, "defaults at policy.yaml:2", "from-defaults"},
      {"other.sales.orders",
       {"folders/1"},
       2,
       "folders.folders/1 at policy.yaml:4",
       "from-top-folder"},
      // The nearer folder wins, and what it does not say the farther one still does.
      {"other.sales.orders",
       {"folders/2", "folders/1"},
       3,
       "folders.folders/2 at policy.yaml:5",
       "from-top-folder"},
      {"other.sales.orders",
       {"folders/1", "folders/2"},
       2,
       "folders.folders/1 at policy.yaml:4",
       "from-top-folder"},
      {"acme-test.sales.orders",
       {"folders/1"},
       4,
       "projects.acme-* at policy.yaml:7",
       "from-top-folder"},
      {"acme-prod.web.hits", {}, 5, "projects.acme-prod at policy.yaml:8", "from-defaults"},
      {"acme-prod.sales.orders",
       {},
       8,
       "tables.acme-prod.sales.ord* at policy.yaml:13",
       "from-defaults"},
      {"acme-prod.sales.x", {}, 7, "tables.acme-prod.sales.* at policy.yaml:12", "from-defaults"},
      // Two globs that say as much: the later one in the document.
      {"acme-prod.sales.ord_x_ord",
       {},
       9,
       "tables.acme-prod.sales.*_ord at policy.yaml:14",
       "from-defaults"},
      {"acme-prod.sales.exact",
       {},
       10,
       "tables.acme-prod.sales.exact at policy.yaml:15",
       "from-defaults"},
  };
  for (const LevelCase& at : cases) {
    SCOPED_TRACE(at.table);
    const TableRef table = ParseTableRef(at.table).value();
    const PolicyResolver resolver(document, table.project, at.folders, {});
    const EffectivePolicy policy = resolver.OfTable(table, {}, {});
    EXPECT_EQ(policy.fields.at("forced_full_days").value, at.days);
    EXPECT_EQ(policy.fields.at("forced_full_days").origin, at.days_origin);
    EXPECT_EQ(policy.fields.at("prefix").value, at.prefix);
    EXPECT_EQ(policy.fields.at("codec").origin, "defaults at policy.yaml:2");
  }
}

TEST(EffectivePolicy, NamesWhatIsNoTableByItsReservedName) {
  const PolicyDocument document = Document(R"(
tables:
  "*.*.routine:*": {exclude: true}
  "acme.sales.dataset:definition": {codec: NONE}
  "example.com:web.sales.routine:net": {exclude: false}
)");
  const PolicyResolver resolver(document, "acme", {}, {});
  EXPECT_FALSE(resolver.OfTable(RoutineObject({"acme", "sales"}, "net"), {}, {}).enabled());
  EXPECT_TRUE(resolver.OfTable({"acme", "sales", "net", ""}, {}, {}).enabled());
  EXPECT_TRUE(resolver.OfTable(DatasetObject({"acme", "sales"}), {}, {}).fields.contains("codec"));
  const PolicyResolver domain(document, "example.com:web", {}, {});
  EXPECT_TRUE(domain.OfTable(RoutineObject({"example.com:web", "sales"}, "net"), {}, {}).enabled());
}

TEST(EffectivePolicy, CountsALabelWhereItIsCarried) {
  const PolicyDocument document = Document(R"(
projects: {acme: {codec: NONE}}
datasets: {acme.d: {codec: DEFLATE}}
labels:
  env=prod: {codec: SNAPPY, forced_full_days: 1}
  env=prod,team: {forced_full_days: 2}
  env=p*: {forced_full_days: 3}
)");
  const PolicyResolver plain(document, "acme", {}, {});
  const PolicyResolver labelled(document, "acme", {}, {{"env", "prod"}});
  const TableRef table{"acme", "d", "t", ""};
  const TableRef other{"acme", "e", "t", ""};
  // On the project it is below the project's name; on the table above that of the dataset.
  EXPECT_EQ(labelled.OfTable(other, {}, {}).fields.at("codec").value, "NONE");
  EXPECT_EQ(labelled.OfTable(other, {}, {}).fields.at("forced_full_days").value, 1);
  EXPECT_EQ(plain.OfTable(table, {{"env", "prod"}}, {}).fields.at("codec").value, "DEFLATE");
  EXPECT_EQ(plain.OfTable(table, {}, {{"env", "prod"}}).fields.at("codec").value, "SNAPPY");
  // The nearer label hides the farther one; more terms say more; an exact value more than a glob.
  EXPECT_FALSE(labelled.OfTable(other, {}, {{"env", "x"}}).fields.contains("forced_full_days"));
  EXPECT_EQ(labelled.OfTable(other, {}, {{"team", "x"}}).fields.at("forced_full_days").value, 2);
  EXPECT_EQ(plain.OfTable(other, {}, {{"env", "prep"}}).fields.at("forced_full_days").value, 3);
  EXPECT_EQ(plain.OfProject().fields.count("forced_full_days"), 0);
  EXPECT_EQ(labelled.OfProject().fields.at("forced_full_days").value, 1);
}

TEST(EffectivePolicy, CountsAClassWhereItWasNamed) {
  const PolicyDocument document = Document(R"(
defaults: {class: reference, forced_full_days: 9}
classes:
  critical: {rpo: 1h, forced_full_days: 1, codec: NONE}
  reference: {verify: L0}
projects: {acme: {class: critical, codec: DEFLATE}}
tables: {acme.d.t: {forced_full_days: 3}}
)");
  const PolicyResolver acme(document, "acme", {}, {});
  const auto policy = acme.OfTable({"acme", "d", "other", ""}, {}, {});
  EXPECT_EQ(policy.fields.at("forced_full_days").value, 1);
  EXPECT_EQ(policy.fields.at("forced_full_days").origin, "classes.critical at policy.yaml:4");
  EXPECT_EQ(policy.fields.at("codec").value, "DEFLATE") << "said beside the class";
  EXPECT_EQ(policy.fields.at("rpo").value, "1h") << "the document's word on a built-in class";
  EXPECT_EQ(policy.fields.at("rto").value, "1h");
  EXPECT_THAT(policy.fields.at("rto").origin, HasSubstr("built in"));
  EXPECT_FALSE(policy.fields.contains("verify")) << "of a class that is not in effect";
  EXPECT_EQ(acme.OfTable({"acme", "d", "t", ""}, {}, {}).fields.at("forced_full_days").value, 3);
  const PolicyResolver other(document, "other", {}, {});
  EXPECT_EQ(other.OfProject().fields.at("verify").value, "L0");
  EXPECT_EQ(other.OfProject().fields.at("forced_full_days").value, 9) << "said beside the class";
}

TEST(EffectivePolicy, SaysByWhatAnObjectIsExcluded) {
  const PolicyDocument document = Document(R"(
projects: {scratch: {enabled: false}}
tables: {scratch.keep.*: {exclude: false}}
)");
  EXPECT_TRUE(document.MayEnableBelow());
  const PolicyResolver resolver(document, "scratch", {}, {});
  EXPECT_EQ(resolver.OfProject().ExcludedBy(), "projects.scratch at policy.yaml:2");
  EXPECT_FALSE(resolver.OfTable({"scratch", "d", "t", ""}, {}, {}).enabled());
  EXPECT_TRUE(resolver.OfTable({"scratch", "keep", "t", ""}, {}, {}).enabled());
}

constexpr const char* kBounds = R"(
defaults: {class: reference, rpo: 6h}
owner_bounds:
  labels: true
  fields:
    class: {allow: [critical, important]}
    forced_full_days: {min: 1, max: 30}
    rpo: {max: 1d}
    methods: {allow: [export, copy]}
    enabled: {allow: [true]}
    retention: {}
    retention.keep_daily: {min: 7}
)";

struct OwnerCase {
  const char* label;
  const char* text;
  const char* refusal;  // empty: it holds
};

TEST(EffectivePolicy, RefusesWhatAnOwnersLabelSaysBeyondTheBounds) {
  const PolicyDocument document = Document(kBounds);
  const PolicyResolver resolver(document, "acme", {}, {});
  const OwnerCase cases[] = {
      {"holdfast-class", "critical", ""},
      {"holdfast-class", "reference", "only \"critical\", \"important\" is allowed"},
      {"holdfast-forced_full_days", "3", ""},
      {"holdfast-forced-full-days", "30", ""},
      {"holdfast-forced_full_days", "31", "at most 30 is allowed"},
      {"holdfast-forced_full_days", "0", "at least 1 is allowed"},
      {"holdfast-forced_full_days", "often", "whole number"},
      {"holdfast-rpo", "24h", ""},
      {"holdfast-rpo", "25h", "at most \"1d\" is allowed"},
      {"holdfast-method", "copy", ""},
      {"holdfast-method", "snapshot", "only \"export\", \"copy\" is allowed"},
      {"holdfast-exclude", "true", "only true is allowed"},
      {"holdfast-exclude", "perhaps", "true or false"},
      {"holdfast-codec", "none", "not for owners to say"},
      {"holdfast-retention", "7", "cannot be said in a label"},
      {"holdfast-clas", "critical", "is not a field"},
      {"holdfast-restore", "plan-1", ""},
      {"env", "prod", ""},
  };
  for (const OwnerCase& at : cases) {
    const auto policy = resolver.OfTable({"acme", "d", "t", ""}, {}, {{at.label, at.text}});
    SCOPED_TRACE(std::string(at.label) + "=" + at.text);
    if (*at.refusal == '\0') {
      EXPECT_EQ(policy.RefusalText(), "");
    } else {
      EXPECT_THAT(policy.RefusalText(), HasSubstr(at.refusal));
      EXPECT_THAT(policy.RefusalText(), HasSubstr(at.label));
      EXPECT_EQ(policy.fields.at("class").value, "reference") << "nothing else may change";
      EXPECT_TRUE(policy.enabled());
    }
  }
  const auto policy =
      resolver.OfTable({"acme", "d", "t", ""}, {}, {{"holdfast-class", "critical"}});
  EXPECT_EQ(policy.fields.at("class").origin, "label holdfast-class of the table");
  EXPECT_EQ(policy.fields.at("rpo").value, "15m");
}

TEST(EffectivePolicy, TakesAnOwnersFileFieldByField) {
  const PolicyDocument document = Document(kBounds);
  const PolicyResolver resolver(document, "acme", {}, {});
  const OwnerFile file{.origin = "gs://p/acme/d/t.yaml",
                       .content = ParseOwnerText("class: important\nrpo: 2d\ncolour: red\n"
                                                 "retention: {keep_daily: 3}\n")};
  const TableRef table{"acme", "d", "t", ""};
  const auto policy = resolver.OfTable(table, {}, {}, &file);
  EXPECT_EQ(policy.fields.at("class").value, "important");
  EXPECT_EQ(policy.fields.at("class").origin, "gs://p/acme/d/t.yaml:1");
  EXPECT_EQ(policy.refusals.size(), 3);
  EXPECT_THAT(policy.RefusalText(), HasSubstr("at most \"1d\""));
  EXPECT_THAT(policy.RefusalText(), HasSubstr("line 3, column 1"));
  EXPECT_THAT(policy.RefusalText(), HasSubstr("keep_daily is 3: at least 7"));
  const auto by_label = resolver.OfTable(table, {}, {{"holdfast-class", "critical"}}, &file);
  EXPECT_EQ(by_label.fields.at("class").value, "critical") << "the label is nearer";
  const OwnerFile partial{.origin = "f", .content = ParseOwnerText("retention: {keep_last: 3}")};
  EXPECT_THAT(resolver.OfTable(table, {}, {}, &partial).RefusalText(),
              HasSubstr("lacks keep_daily"));
  // A part without bounds of its own could undo the one that has them.
  const OwnerFile undoing{.origin = "f",
                          .content = ParseOwnerText("retention: {keep_daily: 7, max_age: 1h}")};
  EXPECT_THAT(resolver.OfTable(table, {}, {}, &undoing).RefusalText(),
              HasSubstr("has max_age, which has no bounds"));
  const OwnerFile within{.origin = "f", .content = ParseOwnerText("retention: {keep_daily: 7}")};
  EXPECT_EQ(resolver.OfTable(table, {}, {}, &within).RefusalText(), "");
}

TEST(EffectivePolicy, LetsOwnersSayRetentionWhereOneOfItsPartsHasBounds) {
  const PolicyDocument document =
      Document("owner_bounds: {bucket: b, fields: {retention.keep_last: {min: 3, max: 9}}}");
  const PolicyResolver resolver(document, "acme", {}, {});
  const auto say = [&](const char* text) {
    const OwnerFile file{.origin = "f", .content = ParseOwnerText(text)};
    return resolver.OfTable({"acme", "d", "t", ""}, {}, {}, &file);
  };
  EXPECT_EQ(say("retention: {keep_last: 5}").RefusalText(), "");
  EXPECT_EQ(say("retention: {keep_last: 5}").fields.at("retention").value,
            Json({{"keep_last", 5}}));
  EXPECT_THAT(say("retention: {keep_last: 2}").RefusalText(), HasSubstr("at least 3"));
  EXPECT_THAT(say("retention: {keep_last: 5, max_age: 1h}").RefusalText(), HasSubstr("no bounds"));
  EXPECT_THAT(say("codec: NONE").RefusalText(), HasSubstr("not for owners to say"));
}

TEST(EffectivePolicy, IsWhatABackupPolicyBecomes) {
  const PolicyDocument document = Document(
      "defaults: {methods: [copy, snapshot], codec: NONE, shrink_threshold: 0.25, rpo: 1h,\n"
      "  schedule: [{cron: 0 8 * * *}, {cron: 0 2 * * *}]}");
  const PolicyResolver resolver(document, "acme", {}, {});
  const EffectivePolicy policy = resolver.OfProject();
  const auto patched = PatchPolicy(BackupPolicy{.prefix = "kept"}, policy.BackupPolicyPatch());
  ASSERT_TRUE(patched.ok()) << patched.error().message;
  EXPECT_EQ(patched->Methods(), (std::vector<Method>{Method::kCopy, Method::kSnapshot}));
  EXPECT_EQ(patched->codec, "NONE");
  EXPECT_EQ(patched->shrink_threshold, 0.25);
  EXPECT_EQ(patched->prefix, "kept");
  EXPECT_THAT(policy.Schedules(), testing::ElementsAre("0 8 * * * UTC", "0 2 * * * UTC"));
}

}  // namespace
}  // namespace holdfast
