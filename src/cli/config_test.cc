#include "cli/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace holdfast::cli {
namespace {

using Variables = std::map<std::string, std::string>;

ReadVariable Reading(Variables variables) {
  variables.emplace("HOME", "/home/ada");
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

Result<LoadedConfig> Parse(const std::string& text, const Variables& variables = {},
                           const FlagTexts& flags = {}) {
  return ParseConfig(text, "c.yaml", Reading(variables), flags);
}

Config ConfigOf(const std::string& text, const Variables& variables = {},
                const FlagTexts& flags = {}) {
  const auto loaded = Parse(text, variables, flags);
  EXPECT_TRUE(loaded.ok()) << loaded.error().message;
  return loaded->config;
}

std::string OriginOf(const LoadedConfig& loaded, std::string_view name) {
  for (const EffectiveSetting& at : loaded.settings) {
    if (at.setting->name == name) return at.origin;
  }
  return "?";
}

TEST(Config, DefaultsOfTheRegistryAreThoseOfTheProgram) {
  Config expected;
  expected.data_dir = "/home/ada/.local/share/holdfast";
  EXPECT_EQ(ConfigOf(""), expected);
  EXPECT_EQ(ConfigOf("# nothing but a comment\npolicy:\n"), expected);
}

TEST(Config, TakesRetentionAsADocument) {
  const std::string text = "retention:\n  keep_daily: 7\n  deleted_source: {grace: 7m}\n";
  const Config config = ConfigOf(text + "prune: {grace_hours: 5, share_max: 0.5}\n");
  EXPECT_EQ(config.retention.rules.KeepOf(CalendarUnit::kDay), 7);
  EXPECT_EQ(config.retention.deleted_source->grace.months, 7);
  EXPECT_EQ(config.prune.grace, std::chrono::hours{5});
  EXPECT_EQ(config.prune.share_max, 0.5);
  const Config other = ConfigOf(text, {{"HOLDFAST_RETENTION", R"({"preset": "bbq"})"}});
  EXPECT_TRUE(other.retention.bbq.has_value());

  const std::pair<const char*, const char*> wrong[] = {
      {"retention: {keep_dayly: 7}", "c.yaml:1: retention: \"keep_dayly\""},
      {"retention: 7", "is not a map"},
      {"retention: [7]", "is not a map"},
      {"verification: {read_in: 7d}", "c.yaml:1: verification has no member \"read_in\""},
      {"verification: {read_within: soon}", "read_within"},
      {"verification: {live: 1}", "live"},
  };
  for (const auto& [file, part] : wrong) {
    const auto loaded = Parse(file);
    ASSERT_FALSE(loaded.ok()) << file;
    EXPECT_EQ(loaded.error().id, ErrorId::kConfigInvalid);
    EXPECT_NE(loaded.error().message.find(part), std::string::npos) << loaded.error().message;
  }
}

TEST(Config, ReadsEverySectionOfTheFile) {
  const Config config = ConfigOf(R"(
cloud: google
organization: organizations/123
restore_project: acme-restore
workers: 7
endpoints:
  storage: http://127.0.0.1:4443
policy:
  name: "7"
  codec: DEFLATE
  forced_full_days: 30
  shrink_threshold: 0.25
  direct_extract: true
  scope:
    include: ["acme-*", "acme-shop:sales.orders"]
    exclude: acme-sandbox
)");
  EXPECT_EQ(config.cloud, CloudKind::kGoogle);
  EXPECT_EQ(config.organization, "organizations/123");
  EXPECT_EQ(config.restore_project, "acme-restore");
  EXPECT_EQ(config.workers, 7);
  EXPECT_EQ(config.endpoints.storage, "http://127.0.0.1:4443");
  EXPECT_EQ(config.endpoints.bigquery, Endpoints().bigquery);
  EXPECT_EQ(config.policy.name, "7");
  EXPECT_EQ(config.policy.codec, "DEFLATE");
  EXPECT_EQ(config.policy.forced_full_days, 30);
  EXPECT_EQ(config.policy.shrink_threshold, 0.25);
  EXPECT_TRUE(config.policy.direct_extract);
  EXPECT_EQ(config.policy.scope.include,
            (std::vector<std::string>{"acme-*", "acme-shop.sales.orders"}));
  EXPECT_EQ(config.policy.scope.exclude, std::vector<std::string>{"acme-sandbox"});
}

TEST(Config, NamesLineColumnAndNearestNameOfAMistake) {
  const struct {
    const char* text;
    const char* message;
  } kCases[] = {
      {"workers: 2\nworkerz: 3\n",
       "c.yaml: line 2, column 1: unknown setting \"workerz\"; did you mean \"workers\"?"},
      {"policy:\n  coddec: NONE\n",
       "c.yaml: line 2, column 3: unknown setting \"policy.coddec\"; did you mean \"codec\"?"},
      {"policy:\n  scope:\n    included: [a]\n",
       "c.yaml: line 3, column 5: unknown setting \"policy.scope.included\"; did you mean "
       "\"include\"?"},
      {"frobnicate: 1\n", "c.yaml: line 1, column 1: unknown setting \"frobnicate\""},
      {"workers: many\n",
       "c.yaml: line 1, column 10: workers is \"many\": expected a whole number from 1 to 64"},
      {"policy: {codec: gzip}\n",
       "c.yaml: line 1, column 17: policy.codec is \"gzip\": expected one of NONE, DEFLATE, "
       "SNAPPY"},
      {"policy: 3\n", "c.yaml: line 1, column 9: \"policy\" is a section"},
      {"workers: {a: 1}\n", "c.yaml: line 1, column 1: workers has no value"},
      {"project:\n", "c.yaml: line 1, column 1: project has no value"},
      {"project: [a, b]\n", "c.yaml: line 1, column 10: project is a list: expected one value"},
      {"workers: 1\nworkers: 2\n", "c.yaml: line 2, column 1: \"workers\" is set twice"},
      {"[a, b]\n", "c.yaml: line 1, column 1: the file is not a map of settings"},
      {"policy:\n  scope:\n    include: [[a]]\n",
       "c.yaml: line 3, column 15: policy.scope.include: an item is not a text"},
  };
  for (const auto& test : kCases) {
    const auto loaded = Parse(test.text);
    ASSERT_FALSE(loaded.ok()) << test.text;
    EXPECT_EQ(loaded.error().id, ErrorId::kConfigInvalid) << test.text;
    EXPECT_EQ(loaded.error().message, test.message);
  }
}

TEST(Config, RefusesTextThatIsNoYaml) {
  for (const char* text :
       {"a: [", "\"", "a: b: c", "\t- x", "? {a: 1}\n: 2", "policy: &p {scope: *p}"}) {
    const auto loaded = Parse(text);
    ASSERT_FALSE(loaded.ok()) << text;
    EXPECT_EQ(loaded.error().id, ErrorId::kConfigInvalid) << text;
  }
  EXPECT_FALSE(Parse(std::string((1U << 20U) + 1, '#')).ok());
  EXPECT_FALSE(Parse(std::string(100'000, '[')).ok());
}

TEST(Config, FlagsWinOverTheEnvironmentWhichWinsOverTheFile) {
  const auto loaded = Parse("workers: 2\nproject: in-file\norganization: organizations/1\n",
                            {{"HOLDFAST_WORKERS", "3"}, {"HOLDFAST_PROJECT", "in-environment"}},
                            {{"workers", "4"}});
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->config.workers, 4);
  EXPECT_EQ(loaded->config.project, "in-environment");
  EXPECT_EQ(loaded->config.organization, "organizations/1");
  EXPECT_EQ(OriginOf(*loaded, "workers"), "--workers");
  EXPECT_EQ(OriginOf(*loaded, "project"), "HOLDFAST_PROJECT");
  EXPECT_EQ(OriginOf(*loaded, "organization"), "c.yaml:3");
  EXPECT_EQ(OriginOf(*loaded, "policy.codec"), "default");
}

TEST(Config, AMistakeInAlertsIsSaidByItsPlace) {
  const auto loaded = Parse("workers: 2\nalerts: {channels: {chat: {}}}\n", {});
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().id, ErrorId::kConfigInvalid);
  EXPECT_NE(loaded.error().message.find("alerts.channels.chat"), std::string::npos)
      << loaded.error().message;
}

TEST(Config, EverySettingHasAVariable) {
  // A value of each type that is no setting's default.
  const auto other = [](const Setting& setting) -> std::string {
    if (setting.name == "catalog.url") return "postgresql://db/holdfast";
    if (setting.name == "catalog.password") return "env:OTHER";
    if (setting.name == "policy.bucket_retention") return "30d";
    switch (setting.type) {
      case SettingType::kInteger:
        return "5";
      case SettingType::kNumber:
        return "0.75";
      case SettingType::kBoolean:
        return setting.fallback == "true" ? "false" : "true";
      case SettingType::kChoice:
        return ChoicesOf(setting).front() == setting.fallback ? ChoicesOf(setting).back()
                                                              : ChoicesOf(setting).front();
      case SettingType::kDocument:
        return setting.name == "retention"        ? "{keep_last: 3}"
               : setting.name == "alerts"         ? "{repeat_after: 2h}"
               : setting.name == "quotas"         ? "{copy_jobs_per_day: 3}"
               : setting.name == "catalog.export" ? "{to: acme-ops.holdfast}"
                                                  : "{live: true}";
      default:
        return "other";
    }
  };
  for (const Setting& setting : AllSettings()) {
    const auto loaded = Parse("", {{VariableOf(setting), other(setting)}});
    ASSERT_TRUE(loaded.ok()) << setting.name << ": " << loaded.error().message;
    EXPECT_EQ(OriginOf(*loaded, setting.name), VariableOf(setting));
    EXPECT_NE(loaded->config, ConfigOf("")) << setting.name << " has no effect";
  }
}

TEST(Config, NamesTheVariableOrTheFlagThatIsWrong) {
  const auto variable = Parse("", {{"HOLDFAST_WORKERS", "x"}});
  ASSERT_FALSE(variable.ok());
  EXPECT_EQ(variable.error().message,
            "HOLDFAST_WORKERS is \"x\": expected a whole number from 1 to 64");
  const auto flag = Parse("", {}, {{"workers", "65"}});
  ASSERT_FALSE(flag.ok());
  EXPECT_EQ(flag.error().id, ErrorId::kUsage);
  EXPECT_EQ(flag.error().message, "--workers is \"65\": expected a whole number from 1 to 64");
}

TEST(Config, EmulatorVariablesChooseTheEmulator) {
  const auto loaded = Parse("cloud: google\n", {{"BIGQUERY_EMULATOR_HOST", "127.0.0.1:9050"},
                                                {"STORAGE_EMULATOR_HOST", "http://127.0.0.1:9/"},
                                                {"PUBSUB_EMULATOR_HOST", "127.0.0.1:9060"}});
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->config.cloud, CloudKind::kEmulator);
  EXPECT_EQ(loaded->config.endpoints, (Endpoints{.bigquery = "http://127.0.0.1:9050",
                                                 .storage = "http://127.0.0.1:9",
                                                 .resource_manager = "http://127.0.0.1:9050",
                                                 .pubsub = "127.0.0.1:9060",
                                                 .logging = "http://127.0.0.1:9050"}));
  EXPECT_EQ(OriginOf(*loaded, "endpoints.pubsub"), "PUBSUB_EMULATOR_HOST");
}

TEST(Config, TheLogAndTheCatalogGoWhereItSays) {
  const Config config = ConfigOf(
      "log: {cloud: {project: acme-ops, name: backups/eu, level: warning, buffer_entries: 500}}\n"
      "catalog: {export: {to: acme-ops.holdfast, every: 24h}}\n");
  EXPECT_EQ(config.cloud_log, (CloudLogSettings{.project = "acme-ops",
                                                .name = "backups/eu",
                                                .level = LogLevel::kWarning,
                                                .buffer_entries = 500}));
  EXPECT_EQ(config.catalog_export.to, (DatasetRef{"acme-ops", "holdfast"}));
  EXPECT_EQ(ConfigOf("").cloud_log.project, "");
  const std::pair<const char*, const char*> mistakes[] = {
      {"log: {cloud: {project: \"Acme Ops\"}}", "c.yaml:1: log.cloud.project"},
      {"log:\n  cloud:\n    name: a b", "c.yaml:3: log.cloud.name"},
      {"catalog:\n  export: {every: 24h}", "c.yaml:2: catalog.export.every"}};
  for (const auto& [text, message] : mistakes) {
    const auto loaded = Parse(text);
    ASSERT_FALSE(loaded.ok()) << text;
    EXPECT_NE(loaded.error().message.find(message), std::string::npos) << loaded.error().message;
  }
}

TEST(Config, ResourceManagerAloneChoosesNoEmulator) {
  const Variables alone = {{"RESOURCE_MANAGER_EMULATOR_HOST", "127.0.0.1:1"}};
  EXPECT_EQ(ConfigOf("", alone), ConfigOf(""));
  Variables both = alone;
  both["BIGQUERY_EMULATOR_HOST"] = "127.0.0.1:2";
  both["STORAGE_EMULATOR_HOST"] = "127.0.0.1:2";
  both["PUBSUB_EMULATOR_HOST"] = "127.0.0.1:3";
  EXPECT_EQ(ConfigOf("", both).endpoints.resource_manager, "http://127.0.0.1:1");
  EXPECT_EQ(ConfigOf("", both).endpoints.bigquery, "http://127.0.0.1:2");
}

TEST(Config, AnEmulatorForOneServiceIsNoneForTheOthers) {
  const auto one = Parse("", {{"STORAGE_EMULATOR_HOST", "127.0.0.1:2"}});
  ASSERT_FALSE(one.ok());
  EXPECT_EQ(one.error().id, ErrorId::kConfigInvalid);
  EXPECT_EQ(one.error().message,
            "STORAGE_EMULATOR_HOST is set, and BIGQUERY_EMULATOR_HOST and PUBSUB_EMULATOR_HOST is "
            "not");
}

TEST(Config, HoldfastCloudSettlesWhichCloudIsMeant) {
  const Config config =
      ConfigOf("", {{"HOLDFAST_CLOUD", "google"}, {"BIGQUERY_EMULATOR_HOST", "127.0.0.1:9050"}});
  EXPECT_EQ(config.cloud, CloudKind::kGoogle);
  EXPECT_EQ(config.endpoints, Endpoints());
}

TEST(Config, HoldfastVariablesWinOverThoseOfEmulators) {
  const auto loaded = Parse("", {{"HOLDFAST_ENDPOINTS_STORAGE", "http://127.0.0.1:1"},
                                 {"STORAGE_EMULATOR_HOST", "127.0.0.1:2"},
                                 {"BIGQUERY_EMULATOR_HOST", "127.0.0.1:2"},
                                 {"PUBSUB_EMULATOR_HOST", "127.0.0.1:3"}});
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->config.cloud, CloudKind::kEmulator);
  EXPECT_EQ(loaded->config.endpoints.storage, "http://127.0.0.1:1");
  EXPECT_EQ(OriginOf(*loaded, "endpoints.storage"), "HOLDFAST_ENDPOINTS_STORAGE");
}

TEST(Config, EveryChoiceOfASettingIsTaken) {
  for (const Setting& setting : AllSettings()) {
    for (const std::string& choice : ChoicesOf(setting)) {
      const auto loaded = Parse("", {{VariableOf(setting), choice}});
      EXPECT_TRUE(loaded.ok()) << setting.name << " " << choice;
    }
  }
}

TEST(Config, KnowsACatalogInPostgresAndWhereItsPasswordIs) {
  const std::string url = "postgresql://holdfast@db.acme.example/holdfast?sslmode=verify-full";
  const Config config =
      ConfigOf("catalog: {url: \"" + url + "\", password: \"env:DB_PASSWORD\"}\n");
  EXPECT_EQ(config.catalog_url, url);
  EXPECT_EQ(config.catalog_password, "env:DB_PASSWORD");
  EXPECT_EQ(ConfigOf("", {{"HOLDFAST_CATALOG_URL", url}}).catalog_url, url);

  const std::pair<const char*, const char*> wrong[] = {
      {"catalog: {url: \"mysql://db/holdfast\"}", "c.yaml:1: catalog.url: is not the URL"},
      {"catalog: {url: \"postgresql://ada:hunter2@db/x\"}", "catalog.url: holds a password"},
      {"catalog: {url: \"postgresql://ada:hun@ter2@db:port/x\"}", "holds a password"},
      {"catalog: {url: \"postgresql://db/x?password=hunter2\"}", "holds a password"},
      {"catalog: {url: \"postgresql://db/x?sslmod=verify-full\"}", "sslmod"},
      {"catalog: {password: hunter2}", "c.yaml:1: catalog.password: does not say where"},
  };
  for (const auto& [file, part] : wrong) {
    const auto loaded = Parse(file);
    ASSERT_FALSE(loaded.ok()) << file;
    EXPECT_EQ(loaded.error().id, ErrorId::kConfigInvalid);
    EXPECT_NE(loaded.error().message.find(part), std::string::npos) << loaded.error().message;
    EXPECT_EQ(loaded.error().ToString().find("hunter2"), std::string::npos);
    EXPECT_EQ(loaded.error().ToString().find("ter2"), std::string::npos);
  }
}

TEST(Config, EmptyDataDirectoryIsRefused) { EXPECT_FALSE(Parse("data_dir: ''\n").ok()); }

TEST(UnknownVariables, AreNamedWithTheNearest) {
  EXPECT_EQ(UnknownVariables({"PATH", "HOLDFAST_CONFIG", "HOLDFAST_WORKERS", "HOLDFAST_WORKER",
                              "HOLDFAST_POLICY_CODDEC"}),
            (std::vector<std::string>{
                "HOLDFAST_WORKER sets nothing; did you mean \"HOLDFAST_WORKERS\"?",
                "HOLDFAST_POLICY_CODDEC sets nothing; did you mean \"HOLDFAST_POLICY_CODEC\"?"}));
}

class ConfigPlaces : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(directory_ / "holdfast"); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
    return (directory_ / name).string();
  }

  testing_support::TemporaryDirectory temporary_;
  std::filesystem::path directory_ = temporary_.path();
};

TEST_F(ConfigPlaces, FlagWinsOverVariableWhichWinsOverTheDefaultPlace) {
  const std::string standard = Write("holdfast/config.yaml", "workers: 1\n");
  const std::string by_variable = Write("variable.yaml", "workers: 2\n");
  const std::string by_flag = Write("flag.yaml", "workers: 3\n");
  Variables variables = {{"XDG_CONFIG_HOME", directory_.string()}};
  EXPECT_EQ(LoadConfig("", Reading(variables), {})->file, standard);
  EXPECT_EQ(LoadConfig("", Reading(variables), {})->config.workers, 1);
  variables["HOLDFAST_CONFIG"] = by_variable;
  EXPECT_EQ(LoadConfig("", Reading(variables), {})->config.workers, 2);
  EXPECT_EQ(LoadConfig(by_flag, Reading(variables), {})->config.workers, 3);
}

TEST_F(ConfigPlaces, NoFileIsAnErrorOnlyWhenOneWasNamed) {
  const ReadVariable nothing = Reading({{"XDG_CONFIG_HOME", (directory_ / "none").string()}});
  EXPECT_EQ(LoadConfig("", nothing, {})->file, "");
  for (const std::string& path : {(directory_ / "none.yaml").string(), directory_.string()}) {
    const auto loaded = LoadConfig(path, nothing, {});
    ASSERT_FALSE(loaded.ok()) << path;
    EXPECT_TRUE(loaded.error().message.starts_with(path + ": cannot be read: "))
        << loaded.error().message;
  }
  EXPECT_EQ(LoadConfig("/dev/zero", nothing, {}).error().id, ErrorId::kLimitExceeded);
}

}  // namespace
}  // namespace holdfast::cli
