// Everything a command works with, wired from the configuration: the only place that knows which
// implementation stands behind an interface.
//
// Opened once per process. If the configuration says localcloud, the one that has the data
// directory open is used, or else one is started in this process for as long as it lives.
// Thread-safe parts; the object itself is used by one thread.
#pragma once

#include <memory>
#include <string>

#include "adapters/log_forwarder.h"
#include "backup/run_backup.h"
#include "backup/services.h"
#include "base/directory_lock.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "cli/config.h"
#include "cloud/definitions.h"
#include "cloud/log_sink.h"
#include "cloud/message_bus.h"
#include "cloud/object_store.h"
#include "cloud/projects.h"
#include "cloud/warehouse.h"
#include "gcp/rest_client.h"
#include "localcloud/localcloud.h"
#include "net/http_client.h"
#include "restore/services.h"
#include "verify/verify_recorded.h"

namespace holdfast::cli {

class Environment {
 public:
  // Errors: of the catalog's file or server, of localcloud's start. The cloud itself is not called
  // yet.
  static Result<std::unique_ptr<Environment>> Open(Config config);
  ~Environment();

  // The parts, owned here.
  const Config& config() const { return config_; }
  Clock& clock() { return *clock_; }
  catalog::Catalog& catalog() { return *catalog_; }
  Random& random() { return *random_; }
  cloud::Warehouse& warehouse() { return *warehouse_; }
  cloud::Definitions& definitions() { return *definitions_; }
  cloud::ObjectStore& objects() { return *objects_; }
  cloud::Projects& projects() { return *projects_; }

  // What each feature is given: references to the parts, valid as long as this.
  backup::BusSetup bus_setup();
  backup::Services backup_services();
  restore::Services restore_services();
  verify::Services verify_services();

  // The organization that projects are looked for in, from now on.
  void SetOrganization(const std::string& name) { config_.organization = name; }

  // For what no interface of cloud/ offers: loading the demo's files.
  gcp::RestEnvironment rest_environment();
  const Endpoints& endpoints() const { return config_.endpoints; }

  // The localcloud of this process; nullptr when the cloud is elsewhere.
  localcloud::Localcloud* own_localcloud() { return localcloud_.get(); }

  // "localcloud at 127.0.0.1:9050", "Google Cloud", ...
  std::string DescribeCloud() const;

  // On destruction, a localcloud of this process goes on until no other command uses it, unless
  // this was called: for a server that was told to stop.
  void StopAtOnce() { waits_for_users_ = false; }

 private:
  explicit Environment(Config config);
  std::string LocalcloudDirectory() const;
  Result<localcloud::Endpoint> FindOrStart(const std::string& directory);
  Status StartLocalcloud();
  Status Connect();
  void ConnectLog();

  Config config_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<DirectoryLock> use_;  // of another process's localcloud
  std::unique_ptr<localcloud::Localcloud> localcloud_;
  bool waits_for_users_ = true;
  std::unique_ptr<net::HttpClient> http_;
  gcp::TokenSource token_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::string catalog_id_;
  std::unique_ptr<cloud::Warehouse> warehouse_;
  std::unique_ptr<cloud::Definitions> definitions_;
  std::unique_ptr<cloud::ObjectStore> objects_;
  std::unique_ptr<cloud::Projects> projects_;
  std::unique_ptr<cloud::MessageBus> bus_;
  std::unique_ptr<cloud::LogSink> log_sink_;
  std::unique_ptr<LogForwarder> log_forwarder_;  // last, first out: it still sends
};

// This program's version, "0.1.0".
std::string ProgramVersion();

}  // namespace holdfast::cli
