// Whoever may publish to the topics chooses the bytes of a message: they may not crash a worker,
// and a message that was understood must mean the same after it was sent on.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "model/work_message.h"
#include "tests/support/edited_json.h"

namespace {

using holdfast::Json;
using holdfast::WorkMessage;

void ReadSendAndReadAgain(std::string_view topic, const Json& json) {
  const auto message = holdfast::ParseWorkMessage(topic, holdfast::DumpJson(json));
  if (!message.ok()) return;
  CHECK(TopicOf(*message) == topic, "a message moved to another topic");
  const Json sent = ToJson(*message);
  const auto again = holdfast::ParseWorkMessage(topic, holdfast::DumpJson(sent));
  CHECK(again.ok(), "an accepted message cannot be read back");
  CHECK(ToJson(*again) == sent, "a message changes on its way");
  CHECK(TaskId(*again) == TaskId(*message), "a message becomes another task on its way");
}

WorkMessage GoodBackup() {
  holdfast::RunBackup message;
  message.run = "20261121T101844Z-3fa9c1d2";
  message.table_to_backup = {"acme", "sales", "orders", ""};
  message.units.resize(2);
  message.units[0].partition = "20240101";
  message.units[1].partition = "20240102";
  return message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const std::vector<WorkMessage> good = {
      holdfast::StartBackupProcess{.run = "20261121T101844Z-3fa9c1d2"},
      holdfast::CheckProjectTables{.run = "20261121T101844Z-3fa9c1d2", .project_to_check = "acme"},
      GoodBackup()};
  for (const WorkMessage& message : good) {
    (void)holdfast::ParseWorkMessage(TopicOf(message), text);
    ReadSendAndReadAgain(TopicOf(message),
                         holdfast::testing_support::EditedJson(ToJson(message), text));
  }
  return 0;
}
