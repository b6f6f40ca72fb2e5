#include "tests/support/postgres_server.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace holdfast::testing_support {

namespace {

constexpr const char* kInstallations = "/usr/lib/postgresql";  // Debian's, a folder per version

// The folder with initdb and postgres, of the newest version; empty: none.
std::string ProgramDirectory() {
  std::string newest;
  std::error_code error;
  for (const auto& version : std::filesystem::directory_iterator(kInstallations, error)) {
    const std::string found = version.path().string() + "/bin";
    if (std::filesystem::exists(found + "/initdb", error) && found > newest) newest = found;
  }
  return newest;
}

// Who the server runs as; nullptr: whoever we are.
const passwd* ServerUser() {
  if (geteuid() != 0) return nullptr;
  const passwd* user = getpwnam("postgres");
  return user != nullptr ? user : getpwnam("nobody");
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

Error Failed(const std::string& what, const std::string& log) {
  return MakeError(ErrorId::kFileError, "PostgreSQL: " + what + "\n" + log);
}

}  // namespace

pid_t PostgresServer::Spawn(const std::vector<std::string>& arguments) const {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  const std::string log = LogFile();
  const passwd* user = ServerUser();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (user != nullptr &&
      (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)) {
    _exit(126);
  }
  // After the change of user, which would forget it.
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (getppid() != parent || chdir("/") != 0) _exit(126);
  execv(pointers[0], pointers.data());
  _exit(127);
}

Status PostgresServer::MakeCluster() {
  const std::string programs = ProgramDirectory();
  if (programs.empty()) return Failed("not installed; run scripts/bootstrap", "");
  const passwd* user = ServerUser();
  if (user != nullptr && chown(directory_.path().c_str(), user->pw_uid, user->pw_gid) != 0) {
    return Failed("the directory cannot be given to " + std::string(user->pw_name), "");
  }
  const pid_t initdb = Spawn({programs + "/initdb", "-D", DataDirectory(), "-U", "holdfast",
                              "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8",
                              "--locale-provider=icu", "--icu-locale=en"});
  int status = 0;
  if (waitpid(initdb, &status, 0) != initdb || status != 0) return Failed("initdb failed", Log());
  std::ofstream(DataDirectory() + "/pg_hba.conf")
      << "local all guarded scram-sha-256\nlocal all all trust\n";
  return Ok();
}

Status PostgresServer::StartAgain() {
  server_ = Spawn({ProgramDirectory() + "/postgres", "-D", DataDirectory(), "-k", directory_.path(),
                   "-c", "listen_addresses=", "-c", "port=5432", "-c", "fsync=off", "-c",
                   "shared_buffers=32MB", "-c", "max_connections=60"});
  return WaitUntilReady();
}

Status PostgresServer::WaitUntilReady() {
  constexpr int kLooksMax = 6000;
  for (int look = 0; look < kLooksMax; ++look) {
    // Its last line says how far the server is, as pg_ctl reads it.
    if (ReadFile(DataDirectory() + "/postmaster.pid").find("\nready") != std::string::npos) {
      return Ok();
    }
    if (waitpid(server_, nullptr, WNOHANG) == server_) {
      server_ = -1;
      return Failed("the server ended", Log());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return Failed("the server does not get ready", Log());
}

Result<std::unique_ptr<PostgresServer>> PostgresServer::Start() {
  std::unique_ptr<PostgresServer> server(new PostgresServer);
  HF_RETURN_IF_ERROR(server->MakeCluster());
  HF_RETURN_IF_ERROR(server->StartAgain());
  return server;
}

PostgresServer::~PostgresServer() { Stop(); }

void PostgresServer::Stop() {
  if (server_ < 0) return;
  kill(server_, SIGQUIT);
  waitpid(server_, nullptr, 0);
  server_ = -1;
}

std::string PostgresServer::Url(const std::string& user) const {
  return "postgresql://" + user + "@/postgres?host=" + directory_.path() + "&port=5432";
}

std::string PostgresServer::Log() const { return ReadFile(LogFile()); }

}  // namespace holdfast::testing_support
