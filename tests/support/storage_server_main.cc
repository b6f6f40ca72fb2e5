// Serves Cloud Storage and Resource Manager alone, for work on those two with other people's
// clients.
//
// storage_server DIRECTORY: prints the variable that Google's clients read, then serves until its
// standard input ends.
#include <cstdio>
#include <filesystem>
#include <string>

#include "adapters/system_clock.h"
#include "base/random.h"
#include "localcloud/control/control_service.h"
#include "localcloud/rest/router.h"
#include "localcloud/storage/storage_service.h"
#include "net/http_server.h"

namespace {

holdfast::Status Serve(const std::string& directory) {
  std::error_code ignored;
  std::filesystem::create_directories(directory, ignored);
  holdfast::SystemClock clock;
  const auto random = holdfast::MakeSystemRandom();
  HF_ASSIGN_OR_RETURN(const auto control,
                      holdfast::control::ControlStore::Open(directory + "/control.sqlite", clock));
  HF_ASSIGN_OR_RETURN(const auto store,
                      holdfast::storage::ObjectStore::Open(directory + "/storage", clock, *random));
  holdfast::rest::Router router;
  holdfast::control::RegisterControlRoutes(router, *control);
  holdfast::storage::RegisterStorageRoutes(router, *store,
                                           {.ensure_project = [&](const std::string& project) {
                                             return control->EnsureProject(project);
                                           }});
  HF_ASSIGN_OR_RETURN(const auto server, holdfast::net::HttpServer::Start(
                                             {}, [&](holdfast::net::ServerRequest& request) {
                                               return router.Handle(request);
                                             }));
  std::printf("STORAGE_EMULATOR_HOST=http://127.0.0.1:%d\n", server->port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server->Stop();
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: storage_server DIRECTORY\n");
    return 2;
  }
  const auto status = Serve(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.error().ToString().c_str());
  return status.ok() ? 0 : 1;
}
