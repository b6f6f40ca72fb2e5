// Durability under `kill -9`: whatever the store had answered is there, whole, after the kill.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <map>
#include <string>

#include "base/hash.h"
#include "localcloud/storage/store_fixture.h"

namespace holdfast::storage {
namespace {

constexpr int kRounds = 12;

// The bytes that a child writes under `number`: their length and content follow from it.
std::string BytesOf(int number) {
  std::string bytes;
  while (bytes.size() < static_cast<size_t>(number % 7) * 40'000 + 10) {
    bytes += "object " + std::to_string(number) + ";";
  }
  return bytes;
}

// One line of at most PIPE_BUF bytes is written to a pipe as a whole.
void Acknowledge(int pipe, const std::string& line) {
  if (::write(pipe, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(3);
}

// Writes objects and uploads without end, and tells of each that the store has answered.
[[noreturn]] void WriteUntilKilled(const std::string& directory, int first, int pipe) {
  VirtualClock clock(FromUnixMillis(1'790'000'000'000));
  const auto random = MakeSeededRandom(static_cast<uint64_t>(first) + 1);
  auto opened = ObjectStore::Open(directory, clock, *random);
  if (!opened.ok()) _exit(2);
  ObjectStore& store = **opened;
  (void)store.CreateBucket({.name = "bucket", .project = "acme"});
  for (int number = first;; ++number) {
    const std::string name = "object-" + std::to_string(number);
    const std::string bytes = BytesOf(number);
    auto writer = store.StartObject({.bucket = "bucket", .name = name});
    if (!writer.ok() || !(*writer)->Append(bytes).ok() || !(*writer)->Finish().ok()) _exit(4);
    Acknowledge(pipe, "object " + std::to_string(number) + "\n");
    if (number % 3 == 0) {
      if (!store.DeleteObject({"bucket", name}).ok()) _exit(5);
      Acknowledge(pipe, "deleted " + std::to_string(number) + "\n");
    }
    auto session = store.StartUpload({.bucket = "bucket", .name = "upload"}, std::nullopt);
    if (!session.ok()) _exit(6);
    for (int64_t offset = 0; offset < 2 * kChunk; offset += kChunk) {
      if (!store.AppendUpload(session->id, offset, false, SourceOf(std::string(kChunk, 'u')))
               .ok()) {
        _exit(7);
      }
      Acknowledge(pipe, "upload " + std::to_string(offset + kChunk) + " " + session->id + "\n");
    }
  }
}

// What the children have been told is done.
struct Acknowledged {
  std::map<int, bool> objects;             // number → exists
  std::map<std::string, int64_t> uploads;  // session → bytes
  int last = 0;

  void Read(const std::string& line) {
    char id[128] = {};
    long long number = 0;
    if (std::sscanf(line.c_str(), "object %lld", &number) == 1) {
      objects[static_cast<int>(number)] = true;
      last = static_cast<int>(number);
    } else if (std::sscanf(line.c_str(), "deleted %lld", &number) == 1) {
      objects[static_cast<int>(number)] = false;
    } else if (std::sscanf(line.c_str(), "upload %lld %127s", &number, id) == 2) {
      uploads[id] = number;
    }
  }
};

// Runs a child, kills it after `lines` acknowledgements, and takes in all that it said.
void RunAndKill(const std::string& directory, int lines, Acknowledged& acknowledged) {
  int pipes[2] = {};
  ASSERT_EQ(::pipe(pipes), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(pipes[0]);
    WriteUntilKilled(directory, acknowledged.last + 1000, pipes[1]);
  }
  ::close(pipes[1]);
  FILE* stream = ::fdopen(pipes[0], "r");
  char* line = nullptr;
  size_t capacity = 0;
  while (::getline(&line, &capacity, stream) > 0) {
    acknowledged.Read(line);
    if (--lines == 0) ::kill(child, SIGKILL);
  }
  std::free(line);
  ::fclose(stream);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
}

void ExpectAllThere(ObjectStore& store, Acknowledged& acknowledged) {
  for (auto& [number, exists] : acknowledged.objects) {
    const auto object = store.OpenObject({"bucket", "object-" + std::to_string(number)});
    // The kill may have come between a delete and its acknowledgement: either is right then, and
    // must stay so.
    if (number % 3 == 0 && number == acknowledged.last) exists = object.ok();
    ASSERT_EQ(object.ok(), exists) << number;
    if (!exists) continue;
    const std::string bytes = StoreFixture::ReadFile(object->path);
    EXPECT_EQ(bytes, BytesOf(number));
    EXPECT_EQ(object->record.crc32c, ExtendCrc32c(0, bytes));
  }
  for (const auto& [id, received] : acknowledged.uploads) {
    const auto session = store.GetUpload(id);
    ASSERT_TRUE(session.ok());
    EXPECT_GE(session->received_bytes, received);
  }
}

TEST(Crash, LosesNothingThatWasAcknowledged) {
  testing_support::TemporaryDirectory directory;
  Acknowledged acknowledged;
  VirtualClock clock(FromUnixMillis(1'790'000'000'000));
  const auto random = MakeSeededRandom(99);
  for (int round = 0; round < kRounds; ++round) {
    const int lines = 1 + static_cast<int>(random->Next() % 25);
    RunAndKill(directory.path(), lines, acknowledged);
    if (::testing::Test::HasFatalFailure()) return;
    const auto store = ObjectStore::Open(directory.path(), clock, *random);
    ASSERT_TRUE(store.ok()) << store.error().message;
    ExpectAllThere(**store, acknowledged);
  }
  EXPECT_GE(acknowledged.objects.size(), static_cast<size_t>(kRounds));
  EXPECT_FALSE(acknowledged.uploads.empty());
}

}  // namespace
}  // namespace holdfast::storage
