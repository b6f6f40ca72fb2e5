#include "localcloud/storage/storage_service.h"

#include <memory>
#include <utility>

#include "localcloud/storage/request_context.h"

namespace holdfast::storage {

void RegisterStorageRoutes(rest::Router& router, ObjectStore& store,
                           StorageServiceOptions options) {
  const ServicePointer service =
      std::make_shared<const Service>(Service{.store = store, .options = std::move(options)});
  AddBucketRoutes(router, service);
  AddObjectRoutes(router, service);
  AddUploadRoutes(router, service);
  AddDownloadRoutes(router, service);
  AddBatchRoute(router, service);
}

}  // namespace holdfast::storage
