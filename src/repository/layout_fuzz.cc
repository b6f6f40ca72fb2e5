// Object names are listed from a bucket that others may write to: none may crash, and a name that
// was taken apart names the same object when it is put together again.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "repository/layout.h"

using namespace holdfast::repository;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view kPrefix = "some/prefix";
  for (const char* beginning : {"", "some/prefix/manifests/", "some/prefix/data/"}) {
    const std::string name = beginning + std::string(text);
    if (const auto path = ParseManifestName(kPrefix, name); path && path->object) {
      CHECK(ManifestName(kPrefix, *path->object, path->backup) == name,
            "a manifest's name changes when it is read");
    }
    if (const auto path = ParseDataName(kPrefix, name)) {
      CHECK(ParseManifestName(kPrefix, ManifestNameOf(kPrefix, *path)).has_value(),
            "data without a manifest's name");
    }
  }
  if (const auto decoded = DecodePart(EncodePart(text))) {
    CHECK(*decoded == text, "a part changes when it is encoded");
  }
  return 0;
}
