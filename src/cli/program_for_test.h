// The program's commands, run in this process on a localcloud of their own: what their tests begin
// with.
//
// Standard output and error are taken over while a command runs, so one at a time. The directory of
// a test is its own and goes with it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/demo_organization.h"
#include "cli/environment.h"

namespace holdfast::cli {

// What a command left behind.
struct Ran {
  int exit_code = 0;
  std::string out;
  std::string err;
};

// A fresh data directory and localcloud for each test.
class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    // A question to a person who runs the tests on a terminal would wait for an answer.
    ASSERT_NE(std::freopen("/dev/null", "r", stdin), nullptr);
    directory_ = testing::TempDir() + "program-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name() + "-" +
                 std::to_string(getpid());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    std::ofstream(directory_ + "/config.yaml")
        << "data_dir: " << directory_ << "/data\ncloud: localcloud\nworkers: 2\n";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // Runs a command line without the program's name and the configuration.
  Ran Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"holdfast", "--config", directory_ + "/config.yaml"});
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::ostringstream out;
    std::ostringstream err;
    sigset_t signals;  // a server that was refused leaves them blocked
    pthread_sigmask(SIG_SETMASK, nullptr, &signals);
    std::streambuf* const out_before = std::cout.rdbuf(out.rdbuf());
    std::streambuf* const err_before = std::cerr.rdbuf(err.rdbuf());
    const int exit_code = RunCommandLine(static_cast<int>(argv.size()), argv.data());
    std::cout.rdbuf(out_before);
    std::cerr.rdbuf(err_before);
    pthread_sigmask(SIG_SETMASK, &signals, nullptr);
    return {exit_code, out.str(), err.str()};
  }

  // A command that must succeed and print one JSON document.
  Json RunJson(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const Ran ran = Run(std::move(arguments));
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    auto json = ParseJson(ran.out);
    EXPECT_TRUE(json.ok()) << ran.out;
    return json.ok() ? *std::move(json) : Json();
  }

  // The parts that the commands work with; closed before the next command runs.
  std::unique_ptr<Environment> Open() const {
    GlobalOptions global;
    global.config_path = directory_ + "/config.yaml";
    auto config = EffectiveConfig(global);
    EXPECT_TRUE(config.ok()) << config.error().ToString();
    auto environment = Environment::Open(*std::move(config));
    EXPECT_TRUE(environment.ok()) << environment.error().ToString();
    return *std::move(environment);
  }

  // acme-shop.sales.orders with partitions of two days, and acme-shop.sales.people.
  void MakeTables() const {
    const auto environment = Open();
    const DatasetRef dataset{"acme-shop", "sales"};
    ASSERT_TRUE(environment->warehouse().EnsureDataset({.ref = dataset, .location = "US"}).ok());
    const auto create = [&](const std::string& table, Json resource) {
      const auto made = environment->warehouse().CreateTable(
          {dataset.project, dataset.dataset, table, ""}, resource);
      ASSERT_TRUE(made.ok()) << made.error().ToString();
    };
    create("orders",
           {{"schema",
             {{"fields",
               {{{"name", "day"}, {"type", "DATE"}}, {{"name", "id"}, {"type", "INTEGER"}}}}}},
            {"timePartitioning", {{"type", "DAY"}, {"field", "day"}}}});
    create("people",
           {{"schema", {{"fields", Json::array({{{"name", "id"}, {"type", "INTEGER"}}})}}}});
    for (const char* sql :
         {"INSERT INTO `acme-shop.sales.orders` (day, id) VALUES (DATE '2026-01-09', 1), "
          "(DATE '2026-01-10', 2), (DATE '2026-01-10', 3)",
          "INSERT INTO `acme-shop.sales.people` (id) VALUES (1)"}) {
      const Status done = RunDemoStatement(*environment, "acme-shop", sql);
      ASSERT_TRUE(done.ok()) << done.error().ToString();
    }
  }

  std::string directory_;
};

}  // namespace holdfast::cli
