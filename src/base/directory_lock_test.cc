#include "base/directory_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/temporary_directory.h"

namespace holdfast {
namespace {

using testing_support::TemporaryDirectory;

TEST(DirectoryLock, MakesTheDirectoryWithItsParents) {
  const TemporaryDirectory root;
  const std::string directory = root.path() + "/a/b";
  EXPECT_FALSE(DirectoryLock::IsHeld(directory));
  const auto lock = DirectoryLock::Take(directory);
  ASSERT_TRUE(lock.ok());
  EXPECT_TRUE(std::filesystem::is_directory(directory));
  EXPECT_TRUE(DirectoryLock::IsHeld(directory));
}

TEST(DirectoryLock, HasOneHolderEvenInOneProcess) {
  const TemporaryDirectory root;
  auto first = DirectoryLock::Take(root.path());
  ASSERT_TRUE(first.ok());
  const auto second = DirectoryLock::Take(root.path());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().id, ErrorId::kDirectoryInUse);
  EXPECT_NE(second.error().message.find(root.path()), std::string::npos);
  first->reset();
  EXPECT_FALSE(DirectoryLock::IsHeld(root.path()));
  EXPECT_TRUE(DirectoryLock::Take(root.path()).ok());
}

TEST(DirectoryLock, ClosesOnceTheLastUserIsGone) {
  const TemporaryDirectory root;
  auto first = DirectoryLock::Share(root.path());
  auto second = DirectoryLock::Share(root.path());
  ASSERT_TRUE(first.ok() && second.ok());
  std::atomic<bool> in_use = true;
  std::thread holder([&] {
    const auto closed = DirectoryLock::CloseToUsers(root.path());
    EXPECT_TRUE(closed.ok());
    EXPECT_FALSE(in_use);
  });
  first->reset();
  in_use = false;
  second->reset();
  holder.join();
  EXPECT_TRUE(DirectoryLock::Share(root.path()).ok());
}

TEST(DirectoryLock, IsGivenBackWhenTheHolderIsKilled) {
  const TemporaryDirectory root;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = DirectoryLock::Take(root.path());
    const char byte = lock.ok() ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
    ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_TRUE(DirectoryLock::IsHeld(root.path()));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(DirectoryLock::Take(root.path()).ok());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(DirectoryLock, SaysWhatIsInTheWay) {
  const TemporaryDirectory root;
  std::ofstream(root.path() + "/file") << "not a directory";
  const auto lock = DirectoryLock::Take(root.path() + "/file");
  ASSERT_FALSE(lock.ok());
  EXPECT_EQ(lock.error().id, ErrorId::kFileError);
  EXPECT_NE(lock.error().message.find(root.path() + "/file"), std::string::npos);
}

}  // namespace
}  // namespace holdfast
