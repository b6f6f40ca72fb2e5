#include "base/log_observer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast {
namespace {

class LogObserverTest : public testing::Test {
 protected:
  void SetUp() override { ConfigureLog(LogLevel::kOff, LogFormat::kText); }
  void TearDown() override {
    ObserveLog(LogLevel::kOff, {});
    ConfigureLog(LogLevel::kWarning, LogFormat::kText);
  }

  void Observe(LogLevel level) {
    ObserveLog(level, [this](LogLevel at, std::string_view message,
                             std::initializer_list<LogField> fields) {
      std::string line = std::string(LogLevelName(at)) + " " + std::string(message);
      for (const auto& [key, value] : fields) line += " " + std::string(key) + "=" + value;
      lines_.push_back(line);
    });
  }

  std::vector<std::string> lines_;
};

TEST_F(LogObserverTest, SeesWhatTheLogItselfLeavesOut) {
  Observe(LogLevel::kInfo);
  LogInfo("stage done", {{"run", "r1"}});
  LogDebug("too fine");
  EXPECT_EQ(lines_, std::vector<std::string>{"info stage done run=r1"});
}

TEST_F(LogObserverTest, IsNotToldOfWhatASilentThreadSays) {
  Observe(LogLevel::kInfo);
  {
    const LogSilence outer;
    { const LogSilence inner; }
    LogError("of the observer's own making");
  }
  LogError("of the program");
  EXPECT_EQ(lines_, std::vector<std::string>{"error of the program"});
}

TEST_F(LogObserverTest, IsNotCalledAfterItWasTakenAway) {
  Observe(LogLevel::kInfo);
  ObserveLog(LogLevel::kInfo, {});
  LogError("nobody listens");
  EXPECT_TRUE(lines_.empty());
}

}  // namespace
}  // namespace holdfast
